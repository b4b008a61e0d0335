"""Events written as the recording script leaves them in Redis, for every aggregation."""

import hashlib
from collections.abc import Sequence
from typing import Any

from veloflux.context import Context
from veloflux.db import keys
from veloflux.kit import period
from veloflux.kit.clock import DAY_MS, MINUTE_MS
from veloflux.metering import Event
from veloflux.metering.groups import OTHER, group_of
from veloflux.metering.sketch import bin_of
from veloflux.metering.spans import MINUTES_KEPT_MS, spans, utc_hour
from veloflux.plans import Meter

EXACT_MAX = 1_000


async def plant(ctx: Context, meter: Meter, events: Sequence[Event]) -> None:
    """Let a meter have counted these events, each for the first time, in the tenant's zone; they may be few."""
    for event in events:
        await _index(ctx, meter, event)
        match meter.aggregation:
            case "unique":
                await _distinct(ctx, meter, event)
            case "percentile":
                await _bins(ctx, meter, event)
            case _:
                await _cells(ctx, meter, event)


async def cap_groups(ctx: Context, meter: Meter, group: Sequence[Any]) -> None:
    """Let what was counted of a group have come beyond the cap."""
    found = group_of(group).id
    for on in await ctx.db.call("ZRANGE", keys.usage_days(ctx.tenant), 0, -1):
        name, other = (keys.grouped(ctx.tenant, meter.key, of, on.partition(":")[2]) for of in (found, OTHER))
        if await ctx.db.call("EXISTS", name):
            await ctx.db.call("RENAME", name, other)
    await ctx.db.call("HDEL", keys.groups(ctx.tenant, meter.key), found)
    filler = {f"{number:016x}": f'["named {number}"]' for number in range(1_000)}
    await ctx.db.call("HSET", keys.groups(ctx.tenant, meter.key), *(part for pair in filler.items() for part in pair))


async def _index(ctx: Context, meter: Meter, event: Event) -> None:
    assert event.at is not None
    on = period.utc_day(event.at).isoformat()
    await ctx.db.call("ZADD", keys.usage_days(ctx.tenant), event.at // DAY_MS, f"{meter.key}:{on}")
    if meter.group_by:
        group = _group(meter, event)
        await ctx.db.call("HSET", keys.groups(ctx.tenant, meter.key), group, group_of(_values(meter, event)).values)


async def _cells(ctx: Context, meter: Meter, event: Event) -> None:
    assert event.at is not None
    assert ctx.scope
    at, tenant, key = event.at, ctx.tenant, meter.key
    on, hour, quarter = period.utc_day(at).isoformat(), utc_hour(at), period.quarter_of_day(at)
    second = at // 1000
    month = spans(at, ctx.scope.zone).month
    month_end = period.month_bounds(month, ctx.scope.zone)[1] // 1000
    await _cell(ctx, meter, event, (keys.usage(tenant, key, on), str(quarter)), 900 - second % 900)
    await _cell(ctx, meter, event, (keys.total(tenant, key, month), ""), month_end - second)
    if at >= ctx.now() - MINUTES_KEPT_MS:
        minute = str(at // MINUTE_MS % 60)
        await _cell(ctx, meter, event, (keys.minutes(tenant, key, hour), minute), 60 - second % 60)
    fields = [month]
    if meter.group_by:
        group = _group(meter, event)
        fields.append(f"{month}.{group}")
        await _cell(ctx, meter, event, (keys.grouped(tenant, key, group, on), str(quarter)), 900 - second % 900)
        await _cell(ctx, meter, event, (keys.total(tenant, key, month), group), month_end - second)
    if meter.aggregation == "weighted_sum":
        for field in fields:
            await ctx.db.call("HINCRBY", keys.changes(tenant, key), field, _amount(meter, event))


async def _cell(ctx: Context, meter: Meter, event: Event, place: tuple[str, str], seconds: int) -> None:
    """`place` is key and field; field "" is that of a whole month."""
    name, field = place
    amount, first = _amount(meter, event), field or "sum"
    was = await ctx.db.call("HGET", name, first)
    match meter.aggregation:
        case "min" | "max":
            extreme = min if meter.aggregation == "min" else max
            await ctx.db.call("HSET", name, first, amount if was is None else extreme(int(was), amount))
        case "latest":
            tie = f"{event.id.encode().hex()}.{event.source.encode().hex()}"
            texts = [f"{event.at}|{amount}|{tie}", *([was] if was else [])]
            newest = max(texts, key=lambda text: (int(text.split("|")[0]), text.split("|")[2]))
            await ctx.db.call("HSET", name, first, newest)
        case _:
            await ctx.db.call("HINCRBY", name, first, amount)
    if meter.aggregation == "avg":
        await ctx.db.call("HINCRBY", name, f"{field}.n" if field else "n", 1)
    if meter.aggregation == "weighted_sum":
        await ctx.db.call("HINCRBY", name, f"{field}.w" if field else "w", amount * seconds)


async def _distinct(ctx: Context, meter: Meter, event: Event) -> None:
    assert event.at is not None
    assert ctx.scope
    member = hashlib.blake2b(str(event.data[meter.value_property]).encode(), digest_size=8).hexdigest()
    for span in spans(event.at, ctx.scope.zone):
        of = ctx.tenant, meter.key, span
        pairs = [(keys.unique(*of), keys.estimate(*of))]
        if meter.group_by:
            group = _group(meter, event)
            pairs.append((keys.unique_of_group(*of, group), keys.estimate_of_group(*of, group)))
        for exact, estimate in pairs:
            known = await ctx.db.call("PFCOUNT", estimate)
            await ctx.db.call("PFADD", estimate, member)
            if known and not await ctx.db.call("EXISTS", exact):
                continue
            await ctx.db.call("SADD", exact, member)
            if await ctx.db.call("SCARD", exact) > EXACT_MAX:
                await ctx.db.call("DEL", exact)


async def _bins(ctx: Context, meter: Meter, event: Event) -> None:
    assert event.at is not None
    assert ctx.scope
    for span in spans(event.at, ctx.scope.zone):
        names = [keys.sketch(ctx.tenant, meter.key, span)]
        if meter.group_by:
            names.append(keys.sketch_of_group(ctx.tenant, meter.key, span, _group(meter, event)))
        for name in names:
            await ctx.db.call("HINCRBY", name, bin_of(_amount(meter, event)), 1)


def _amount(meter: Meter, event: Event) -> int:
    if meter.aggregation == "count":
        return 10**meter.places
    return round(event.data[meter.value_property] * 10**meter.places)


def _values(meter: Meter, event: Event) -> list[Any]:
    return [event.data.get(name) for name in meter.group_by]


def _group(meter: Meter, event: Event) -> str:
    return group_of(_values(meter, event)).id
