"""What a tenant's meter takes of Redis that was used in every quarter of an hour of 31 days, or once on each of them.

By MEMORY USAGE of all keys of the meter. What recognises events again is in `seen.py`, and what a tenant takes that has
used nothing in `memory.py`.
"""

from collections.abc import Sequence

import msgspec

from bench.in_process import checking
from bench.report import Row
from bench.rounds import drive
from bench.stage import Stage, put_policy, stage
from veloflux.context import Context
from veloflux.db import keys
from veloflux.kit.clock import DAY_MS, now_ms
from veloflux.kit.period import QUARTER_MS
from veloflux.metering import Event, record
from veloflux.plans import Meter
from veloflux.plans.policy import Policy

DAYS, REGIONS, VALUES = 31, 10, 10_000
METERS = (
    Meter(name="count", event_type="count", aggregation="count", unit="count"),
    *(
        Meter(name=each, event_type=each, aggregation=each, value_property="value", unit="unit")
        for each in ("sum", "avg", "min", "max", "latest", "weighted_sum", "unique", "percentile")
    ),
    Meter(
        name="grouped",
        event_type="grouped",
        aggregation="sum",
        value_property="value",
        group_by=("region",),
        unit="unit",
    ),
)
NAMES = {"grouped": f"sum, by a property of {REGIONS} values"}


class Taken(msgspec.Struct, frozen=True):
    """Keys, and bytes of all of them."""

    keys: int
    bytes: int


async def measure() -> list[Row]:
    async with stage("everysec") as target:
        limits = await _limits(target)
        quiet = [
            msgspec.structs.replace(each, name=f"{each.name}_quiet", event_type=f"{each.name}_quiet") for each in METERS
        ]
        await put_policy(target.ctx, Policy(plan="bench", zone="America/Sao_Paulo", meters=(*METERS, *quiet)))
        pairs = zip(METERS, quiet, strict=True)
        return [limits, *[await _row(target.ctx, busy, rarely) for busy, rarely in pairs]]


async def _row(ctx: Context, busy: Meter, quiet: Meter) -> Row:
    what = NAMES.get(busy.name, busy.name)
    much, little = await _used(ctx, busy, QUARTER_MS), await _used(ctx, quiet, DAY_MS)
    return Row(
        what=f"memory of a tenant's meter used in each quarter of an hour of {DAYS} days: {what}",
        script="meter_memory.py",
        figure=much.bytes / 1024,
        unit="KiB",
        notes=f"{much.keys:,} keys; used once on each day {little.bytes / 1024:,.1f} KiB, {little.keys:,} keys",
    )


async def _used(ctx: Context, meter: Meter, every_ms: int) -> Taken:
    """After an event in each of these times."""
    now = now_ms()
    times = range(now - DAYS * DAY_MS, now, every_ms)
    events = [_event(meter, at, number) for number, at in enumerate(times)]
    assert (await record(ctx.parts, ctx.tenant, events, backfill=True)).accepted == len(events)
    prefix = keys.tenant(ctx.tenant)
    return await _taken(ctx, [f"{prefix}:*:{meter.key}", f"{prefix}:*:{meter.key}:*"])


def _event(meter: Meter, at: int, number: int) -> Event:
    """The values come in an order that has none, and back only after all of them."""
    data = {"value": 1 + number * 7919 % VALUES, "region": f"region-{number % REGIONS}"}
    return Event(meter.event_type, f"{meter.name}-{number}", at, data=data)


async def _taken(ctx: Context, patterns: Sequence[str]) -> Taken:
    names = {name for pattern in patterns for name in await ctx.db.scan(pattern)}
    assert names, patterns
    sizes = [sum(await ctx.db.every_master("MEMORY", "USAGE", name, "SAMPLES", "0")) for name in names]
    return Taken(len(names), sum(sizes))


async def _limits(target: Stage) -> Row:
    """What checks leave of a tenant whose policy is that of all measurements."""
    ctx = target.ctx
    await drive(checking(ctx.parts, ctx.tenant, target.key), 1, 0.1)
    found = await _taken(ctx, [keys.limits(ctx.tenant), f"{keys.tenant(ctx.tenant)}:counted:*"])
    return Row(
        what="memory of a tenant's policy and limits in use: three rate limits and a quota",
        script="meter_memory.py",
        figure=found.bytes / 1024,
        unit="KiB",
    )
