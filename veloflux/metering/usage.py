"""Usage by minute, hour, day and month of a zone: what a question may ask, and what it is answered.

Sums, averages and the like are kept by quarter of an hour and compose in any zone (`usage_cells.py`), unit-hours too
(`usage_levels.py`); different values and percentiles are kept by hour, day and month of the tenant's zone
(`usage_spans.py`). The month is a total of its own, which lives longer than its days. Windows without usage are left
out.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import reduce
from zoneinfo import ZoneInfo

import msgspec

from veloflux import tenants
from veloflux.context import Context
from veloflux.errors import InputInvalid
from veloflux.kit.clock import DAY_MS, HOUR_MS, MINUTE_MS
from veloflux.metering import percentile, store, usage_spans
from veloflux.metering.combine import COMBINE, State, value
from veloflux.metering.meters import all_meters, find_version
from veloflux.metering.spans import SPAN_LIVES, TOTAL_MS, USAGE_MS
from veloflux.metering.usage_cells import Asked, by_window, months_asked, read_minutes, read_months, read_quarters
from veloflux.metering.usage_groups import Key, select
from veloflux.metering.usage_levels import read_levels
from veloflux.metering.usage_windows import WINDOWS, Moment, Window, WindowSize, bounds, first_kept
from veloflux.plans import Meter

__all__ = ["WINDOWS", "Row", "Usage", "WindowSize", "meters_used", "read_usage"]

SPANS = ("unique", "percentile")
"""The aggregations that are kept by hour, day and month of the tenant's zone."""
LIFE_MS: dict[WindowSize, int] = {
    "minute": 6 * HOUR_MS,
    "hour": USAGE_MS,
    "day": USAGE_MS,
    "month": TOTAL_MS,
}

Number = int | Decimal


class Row(msgspec.Struct, frozen=True, omit_defaults=True):
    """`start` is a date, a month (`2015-05`), or the hour or minute with its distance from UTC.

    `group` has the values of the properties that were asked for. `exact` is false where different values are estimated
    (error about 1 %). Of percentiles, `value` is the median.
    """

    start: str
    value: Number
    group: dict[str, str] = {}
    exact: bool = True
    percentiles: dict[str, Decimal] = {}


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Values are in the meter's unit, of a weighted sum in unit-hours; `total` is what the aggregation says of all rows
    together, None of nothing.

    `kept_from` is the first window of which everything is still kept, if the question goes back further: what is
    missing before may have been used. `groups_capped`: the meter has as many groups as are kept apart; what came with
    further values is in the group `other`. `versions` are those of the meter, the newest first.
    """

    meter: str
    version: int
    versions: list[int]
    aggregation: str
    unit: str
    zone: str
    window: WindowSize
    kept_from: str | None
    groups_capped: bool
    total: Number | None
    total_exact: bool
    total_percentiles: dict[str, Decimal]
    rows: list[Row]


class Found(msgspec.Struct, frozen=True):
    """The rows of an answer, and what they are together."""

    rows: list[Row]
    total: Number | None
    exact: bool = True
    percentiles: dict[str, Decimal] = {}


async def read_usage(
    ctx: Context,
    meter: str,
    window: WindowSize = "day",
    first: Moment | None = None,
    last: Moment | None = None,
    *,
    group_by: Sequence[str] = (),
    filters: Sequence[str] = (),
    zone: str = "",
    version: int | None = None,
) -> Usage:
    """A meter's usage from the first to the last day, both included, or from a moment until before another; without
    them, all that is kept. A window is whole, wherever in it first and last lie.

    `filters` are `property=value`; those of one property are alternatives. Without a zone, the tenant's.

    :raises MeterUnknown: no such meter. :raises InputInvalid: the first is after the last, there is no such zone,
        version or group, or this cannot be told of this meter.
    """
    found, versions = await find_version(ctx, meter, version)
    assert ctx.scope
    shown_zone = ZoneInfo(tenants.checked_zone(zone or ctx.scope.zone))
    _refuse_what_is_not_kept(found, window, shown_zone, ctx.scope.zone, bool(group_by or filters))
    start, end = bounds(first, last, window, shown_zone)
    groups = await select(ctx, found, group_by, filters)
    asked = Asked(found, window, shown_zone, start, end, ctx.now(), groups)
    kept = _kept(asked, ctx.scope.zone)
    answer = await _read(ctx, asked, kept.start)
    return Usage(
        meter=meter,
        version=found.version,
        versions=versions,
        aggregation=found.aggregation,
        unit=found.unit,
        zone=shown_zone.key,
        window=window,
        kept_from=kept.label if start is None or start < kept.start else None,
        groups_capped=groups.capped,
        total=answer.total,
        total_exact=answer.exact,
        total_percentiles=answer.percentiles,
        rows=answer.rows,
    )


async def meters_used(ctx: Context) -> list[Meter]:
    """The meters of the tenant, and their former versions, that have usage."""
    used = {meter for meter, _ in await store.days_with_usage(ctx.db, ctx.tenant, None, None)}
    return [found for found in await all_meters(ctx) if found.key in used]


async def _read(ctx: Context, asked: Asked, kept_from: int) -> Found:
    assert ctx.scope
    kind = asked.meter.aggregation
    if kind in SPANS:
        return await _read_spans(ctx, asked, kept_from)
    if kind == "weighted_sum":
        areas = await read_levels(ctx, asked, ctx.scope.zone, kept_from)
        return _of_states(asked, [(label, key, (0, area)) for label, key, area in areas])
    if asked.size == "minute":
        return _of_states(asked, by_window(asked, await read_minutes(ctx, asked)))
    if asked.size == "month" and asked.zone.key == ctx.scope.zone:
        months = await months_asked(ctx, asked)
        totals = await read_months(ctx, asked, months)
        return _of_states(
            asked,
            [(month, key, totals[key][month]) for month in months for key in sorted(totals) if month in totals[key]],
        )
    return _of_states(asked, by_window(asked, await read_quarters(ctx, asked)))


async def _read_spans(ctx: Context, asked: Asked, kept_from: int) -> Found:
    places = await usage_spans.places(ctx, asked, kept_from)
    if asked.meter.aggregation == "unique":
        counts, total = await usage_spans.read_unique(ctx, asked, places)
        rows = [Row(label, count.number, _group(asked, key), count.exact) for (label, key), count in counts.items()]
        return Found(rows, total.number, total.exact)
    sketches = await usage_spans.read_sketches(ctx, asked, places)
    of = {row: percentile.percentiles(bins, asked.meter.places) for row, bins in sketches.items()}
    rows = [Row(label, each["p50"], _group(asked, key), percentiles=each) for (label, key), each in of.items()]
    all_ = percentile.percentiles(percentile.merged(sketches.values()), asked.meter.places)
    return Found(rows, all_.get("p50"), percentiles=all_)


def _of_states(asked: Asked, found: Iterable[tuple[str, Key, State]]) -> Found:
    states = list(found)
    rows = [Row(label, value(asked.meter, state), _group(asked, key)) for label, key, state in states]
    if states:
        return Found(rows, value(asked.meter, reduce(COMBINE[asked.meter.aggregation], (each[2] for each in states))))
    return Found(rows, 0 if asked.meter.aggregation in ("count", "sum", "weighted_sum") else None)


def _group(asked: Asked, key: Key) -> dict[str, str]:
    return dict(zip(asked.groups.by, key, strict=True))


def _kept(asked: Asked, tenant_zone: str) -> Window:
    life, grain = LIFE_MS[asked.size], DAY_MS
    if asked.meter.aggregation in SPANS:
        life, grain = SPAN_LIVES[0] if asked.size == "hour" else life, MINUTE_MS
    elif asked.size == "minute":
        grain = MINUTE_MS
    elif asked.size == "month" and asked.zone.key != tenant_zone:
        life = LIFE_MS["day"]
    return first_kept(asked.now, life, asked.size, asked.zone, grain)


def _refuse_what_is_not_kept(meter: Meter, size: WindowSize, zone: ZoneInfo, tenant_zone: str, groups: bool) -> None:
    if meter.aggregation in SPANS and zone.key != tenant_zone:
        raise InputInvalid(
            f"{meter.aggregation} is kept by hour, day and month of the tenant's zone; ask for {meter.name} in "
            f"{tenant_zone}",
            field="zone",
        )
    if size == "minute" and meter.aggregation in SPANS:
        raise InputInvalid(f"{meter.aggregation} is not kept by minute; ask for {meter.name} by hour", field="window")
    if size == "minute" and groups:
        raise InputInvalid("Groups are not kept by minute; ask by hour, or without groups", field="window")
