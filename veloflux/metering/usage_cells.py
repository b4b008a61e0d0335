"""Usage that is kept in cells: quarters of an hour, minutes of the last hours, months of the tenant's zone."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import InputInvalid
from veloflux.kit import period
from veloflux.kit.clock import DAY_MS, HOUR_MS, MINUTE_MS
from veloflux.metering import store
from veloflux.metering.combine import COMBINE, SUFFIX, State, state, states
from veloflux.metering.spans import MINUTES_KEPT_MS, utc_hour
from veloflux.metering.usage_groups import Key, Selection
from veloflux.metering.usage_windows import AHEAD_MS, WindowSize, label
from veloflux.plans import Meter

READS_MAX = 10_000

Cells = dict[Key, dict[int, State]]
"""For each row of a window, the states of its cells by the time that each begins at."""
Months = dict[Key, dict[str, State]]


class Asked(NamedTuple):
    """`start` and `end` (exclusive) in epoch ms, None where the span is open; `now` by the tenant's clock."""

    meter: Meter
    size: WindowSize
    zone: ZoneInfo
    start: int | None
    end: int | None
    now: int
    groups: Selection


async def days_used(ctx: Context, meter: str, start: int | None, end: int | None) -> list[str]:
    """UTC dates with usage of a meter, in order."""
    first = None if start is None else start // DAY_MS
    last = None if end is None else (end - 1) // DAY_MS
    return [on for key, on in await store.days_with_usage(ctx.db, ctx.tenant, first, last) if key == meter]


async def read_quarters(ctx: Context, asked: Asked) -> Cells:
    """The quarters of an hour that begin in the span.

    :raises InputInvalid: too many groups and days.
    """
    meter = asked.meter.key
    days = await days_used(ctx, meter, asked.start, asked.end)
    places = [(group, key, on) for group, key in asked.groups.parts for on in days]
    refuse_too_many(len(places))
    names = [
        keys.grouped(ctx.tenant, meter, group, on) if group else keys.usage(ctx.tenant, meter, on)
        for group, _, on in places
    ]
    found = await store.hashes(ctx.db, names)
    begins = [(key, midnight(on)) for _, key, on in places]
    return _cells(asked, zip(begins, found, strict=True), period.QUARTER_MS)


async def read_minutes(ctx: Context, asked: Asked) -> Cells:
    """The minutes of the span that are kept."""
    first = max(asked.start or 0, asked.now - MINUTES_KEPT_MS) // HOUR_MS
    last = min(asked.end or asked.now, asked.now) + AHEAD_MS
    hours = [at * HOUR_MS for at in range(first, last // HOUR_MS + 1)]
    names = [keys.minutes(ctx.tenant, asked.meter.key, utc_hour(at)) for at in hours]
    found = await store.hashes(ctx.db, names)
    return _cells(asked, zip((((), at) for at in hours), found, strict=True), MINUTE_MS)


async def read_months(ctx: Context, asked: Asked, months: Sequence[str]) -> Months:
    """The totals of months of the tenant's zone."""
    meter, kind = asked.meter.key, asked.meter.aggregation
    names = [keys.total(ctx.tenant, meter, month) for month in months]
    if asked.groups.chosen is None:
        pairs = await store.first_fields(ctx.db, names, "sum", SUFFIX.get(kind, ".")[1:])
        return {
            (): {
                month: state(kind, first, second)
                for month, (first, second) in zip(months, pairs, strict=True)
                if first is not None
            }
        }
    found: Months = {}
    for month, fields in zip(months, await store.hashes(ctx.db, names), strict=True):
        of_groups = states(kind, {name: text for name, text in fields.items() if name not in ("sum", "n", "w")})
        for group, key in asked.groups.parts:
            if group in of_groups:
                _add(found.setdefault(key, {}), month, of_groups[group], kind)
    return found


async def months_asked(ctx: Context, asked: Asked) -> list[str]:
    """The months of a span; where it is open, those from the first or to the last day with usage."""
    start, end = asked.start, asked.end
    if start is None or end is None:
        days = await days_used(ctx, asked.meter.key, None, None)
        if not days:
            return []
        # The days are UTC's: at either end the zone's month may be the one beside.
        start = midnight(days[0]) - DAY_MS if start is None else start
        end = midnight(days[-1]) + 2 * DAY_MS if end is None else end
    return months_between(start, end, asked.zone.key)


def months_between(start: int, end: int, zone: str) -> list[str]:
    """The months of a zone that begin before `end`, from the one in which `start` lies; both epoch ms.

    >>> months_between(0, 40 * 86_400_000, "UTC")
    ['1970-01', '1970-02']
    """
    found, month = [], period.day_of(start, zone).replace(day=1)
    while period.day_start(month, zone) < end:
        found.append(f"{month:%Y-%m}")
        month = period.next_month(month)
    return found


def by_window(asked: Asked, cells: Cells) -> list[tuple[str, Key, State]]:
    """Label, group and state of every window that has cells, in the order of the calendar, then of the groups."""
    combine = COMBINE[asked.meter.aggregation]
    labels = _labels(sorted({at for of_group in cells.values() for at in of_group}), asked)
    # A clock that is set back at midnight shows the day before once more: a label has its first place.
    order = {text: place for place, text in enumerate(dict.fromkeys(labels.values()))}
    found: dict[tuple[int, Key], State] = {}
    for key, of_group in cells.items():
        for at, more in of_group.items():
            place = order[labels[at]], key
            found[place] = combine(found[place], more) if place in found else more
    names = list(order)
    return [(names[place], key, found[place, key]) for place, key in sorted(found)]


def _labels(starts: Sequence[int], asked: Asked) -> dict[int, str]:
    """The label of each cell. Where the first and the last quarter of a UTC hour share one, so do those between."""
    size, zone = asked.size, asked.zone
    whole: dict[int, str | None] = {}
    found: dict[int, str] = {}
    for at in starts:
        hour = at - at % HOUR_MS
        if hour not in whole:
            text = label(hour, size, zone)
            whole[hour] = text if text == label(hour + HOUR_MS - period.QUARTER_MS, size, zone) else None
        found[at] = whole[hour] or label(at, size, zone)
    return found


def refuse_too_many(reads: int) -> None:
    """:raises InputInvalid: an answer would be made of more pieces than one question may read."""
    if reads > READS_MAX:
        raise InputInvalid(
            f"This would be read from {reads:,} pieces, the groups times the times; {READS_MAX:,} are possible: "
            "ask for less time, for fewer groups by a filter, or by month"
        )


def _cells(asked: Asked, found: Iterable[tuple[tuple[Key, int], Mapping[str, str]]], grain_ms: int) -> Cells:
    cells: Cells = {}
    kind = asked.meter.aggregation
    for (key, begins), fields in found:
        mine = cells.setdefault(key, {})
        for name, more in states(kind, fields).items():
            at = begins + int(name) * grain_ms
            if (asked.start is None or asked.start <= at) and (asked.end is None or at < asked.end):
                _add(mine, at, more, kind)
    return {key: mine for key, mine in cells.items() if mine}


def _add(into: dict[Any, State], place: str | int, more: State, kind: str) -> None:
    into[place] = COMBINE[kind](into[place], more) if place in into else more


def midnight(on: str) -> int:
    """Epoch ms of the start of a UTC date.

    >>> midnight("1970-01-02")
    86400000
    """
    return (date.fromisoformat(on) - date(1970, 1, 1)).days * DAY_MS
