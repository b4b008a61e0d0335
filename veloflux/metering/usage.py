"""Usage by hour, day and month of a tenant's zone, composed from quarters of an hour. Days and hours without usage are
left out. The month is a total of its own, which lives longer than its days.
"""

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from veloflux.context import Context
from veloflux.errors import InputInvalid
from veloflux.kit import period
from veloflux.kit.clock import DAY_MS
from veloflux.metering import store
from veloflux.metering.measure import shown
from veloflux.plans import Meter, pick_meter, read_catalogue

WindowSize = Literal["hour", "day", "month"]
WINDOWS: tuple[WindowSize, ...] = ("hour", "day", "month")
DAYS_READ = 100
FIRST_DAY, LAST_DAY = date(1999, 12, 31), date(2100, 1, 1)
"""No event lies outside of these days, in any zone."""


class Row(msgspec.Struct, frozen=True):
    """`start` is a date, a month (`2015-05`), or the hour with its distance from UTC."""

    start: str
    value: int | Decimal


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """`total` is the sum of the rows; values are in the meter's unit."""

    meter: str
    unit: str
    zone: str
    window: WindowSize
    total: int | Decimal
    rows: list[Row]


async def read_usage(
    ctx: Context, meter: str, window: WindowSize = "day", first: date | None = None, last: date | None = None
) -> Usage:
    """A meter's usage from the first to the last day, both included; without them, all that is kept.

    A window of a month is the whole month, wherever in it first and last lie.

    :raises MeterUnknown: no such meter. :raises InputInvalid: the first day is after the last.
    """
    found = pick_meter((await read_catalogue(ctx.db)).meters, meter)
    if first and last and first > last:
        raise InputInvalid("The first day must not be after the last")
    first, last = first and _bounded(first), last and _bounded(last)
    rows = [(start, amount) async for start, amount in _rows(ctx, found.key, window, first, last)]
    assert ctx.scope
    return Usage(
        meter=meter,
        unit=found.unit,
        zone=ctx.scope.zone,
        window=window,
        total=shown(sum(amount for _, amount in rows), found.places),
        rows=[Row(start, shown(amount, found.places)) for start, amount in rows],
    )


async def days(
    ctx: Context, meter: str, first: date | None = None, last: date | None = None
) -> AsyncIterator[tuple[date, int]]:
    """Each day of the tenant's zone with usage, in order, and its amount; read as it is asked for."""
    zone = _zone(ctx)
    sums: dict[date, int] = {}
    async for at, amount in _quarters(ctx, meter, first, last):
        on = datetime.fromtimestamp(at / 1000, zone).date()
        if on not in sums:
            # A clock set back at midnight shows the day before once more: keep that one open.
            for done in [other for other in sums if other < on - timedelta(days=1)]:
                yield done, sums.pop(done)
        sums[on] = sums.get(on, 0) + amount
    for done in sorted(sums):
        yield done, sums[done]


async def meters_used(ctx: Context) -> list[Meter]:
    """The meters of the catalogue that have usage of days, in its order."""
    used = {meter for meter, _ in await store.days_with_usage(ctx.db, ctx.tenant, None, None)}
    return [found for found in (await read_catalogue(ctx.db)).meters if found.key in used]


async def _rows(
    ctx: Context, meter: str, window: WindowSize, first: date | None, last: date | None
) -> AsyncIterator[tuple[str, int]]:
    match window:
        case "hour":
            rows = _hours(ctx, meter, first, last)
        case "day":
            rows = ((on.isoformat(), amount) async for on, amount in days(ctx, meter, first, last))
        case "month":
            rows = _months(ctx, meter, first, last)
    async for row in rows:
        yield row


async def _hours(ctx: Context, meter: str, first: date | None, last: date | None) -> AsyncIterator[tuple[str, int]]:
    zone = _zone(ctx)
    hour, amount = "", 0
    async for at, more in _quarters(ctx, meter, first, last):
        shown_at = datetime.fromtimestamp(at / 1000, zone).replace(minute=0).isoformat()
        if shown_at != hour and hour:
            yield hour, amount
            amount = 0
        hour, amount = shown_at, amount + more
    if hour:
        yield hour, amount


async def _months(ctx: Context, meter: str, first: date | None, last: date | None) -> AsyncIterator[tuple[str, int]]:
    known = [date.fromisoformat(on) for name, on in await _days_with_usage(ctx, None, None) if name == meter]
    if not known:
        return
    # The days are UTC's: at either end the zone's month may be the one beside.
    first, last = first or known[0] - timedelta(days=1), last or known[-1] + timedelta(days=1)
    months, month = [], first.replace(day=1)
    while month <= last:
        months.append(month.isoformat()[:7])
        month = period.next_month(month)
    for name, amount in zip(months, await store.totals(ctx.db, ctx.tenant, meter, months), strict=True):
        if amount is not None:
            yield name, amount


async def _quarters(ctx: Context, meter: str, first: date | None, last: date | None) -> AsyncIterator[tuple[int, int]]:
    """Start of each quarter of an hour with usage, in order, and its amount."""
    assert ctx.scope
    start = None if first is None else period.day_start(first, ctx.scope.zone)
    end = None if last is None else period.day_start(last + timedelta(days=1), ctx.scope.zone)
    known = [on for name, on in await _days_with_usage(ctx, start, end) if name == meter]
    for at in range(0, len(known), DAYS_READ):
        some = known[at : at + DAYS_READ]
        for on, amounts in zip(some, await store.quarters(ctx.db, ctx.tenant, meter, some), strict=True):
            midnight = (date.fromisoformat(on) - date(1970, 1, 1)).days * DAY_MS
            for quarter in sorted(amounts):
                begins = midnight + quarter * period.QUARTER_MS
                if (start is None or start <= begins) and (end is None or begins < end):
                    yield begins, amounts[quarter]


async def _days_with_usage(ctx: Context, start: int | None, end: int | None) -> list[tuple[str, str]]:
    first = None if start is None else start // DAY_MS
    last = None if end is None else (end - 1) // DAY_MS
    return await store.days_with_usage(ctx.db, ctx.tenant, first, last)


def _bounded(on: date) -> date:
    return min(max(on, FIRST_DAY), LAST_DAY)


def _zone(ctx: Context) -> ZoneInfo:
    assert ctx.scope
    return ZoneInfo(ctx.scope.zone)
