"""Minutes, hours, days and months of a zone's calendar, through every change of its clock. Pure.

A day may have 23 or 25 hours and begin at one o'clock; an hour that comes twice is two windows, told apart by their
distance from UTC.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from veloflux.errors import InputInvalid
from veloflux.kit import period
from veloflux.kit.clock import MINUTE_MS

WindowSize = Literal["minute", "hour", "day", "month"]
WINDOWS: tuple[WindowSize, ...] = ("minute", "hour", "day", "month")
HOUR_MS = 60 * MINUTE_MS
AHEAD_MS = 5 * MINUTE_MS
FIRST_DAY, LAST_DAY = date(1999, 12, 31), date(2100, 1, 1)
"""No event lies outside of these days, in any zone."""

Moment = date | datetime
"""A day of the zone, or a time; a time that names no distance from UTC is the zone's."""


class Window(NamedTuple):
    """`label` as answers show it; from `start` until before `end`, epoch ms."""

    label: str
    start: int
    end: int


def label(at: int, size: WindowSize, zone: ZoneInfo) -> str:
    """What the window is called in which a time lies.

    >>> [label(1518919200000, size, ZoneInfo("America/Sao_Paulo")) for size in ("hour", "day", "month")]
    ['2018-02-17T23:00:00-03:00', '2018-02-17', '2018-02']
    """
    text = datetime.fromtimestamp(at // 1000, zone).isoformat()
    match size:
        case "minute":
            return f"{text[:17]}00{text[19:]}"
        case "hour":
            return f"{text[:14]}00:00{text[19:]}"
        case "day":
            return text[:10]
        case "month":
            return text[:7]


def window_at(at: int, size: WindowSize, zone: ZoneInfo) -> Window:
    """The window in which a time lies; that of an hour consists of whole quarters.

    >>> window_at(1518919200000, "hour", ZoneInfo("America/Sao_Paulo"))
    Window(label='2018-02-17T23:00:00-03:00', start=1518919200000, end=1518922800000)
    """
    text = label(at, size, zone)
    match size:
        case "minute":
            start = at - at % MINUTE_MS
            return Window(text, start, start + MINUTE_MS)
        case "hour":
            start = at - at % period.QUARTER_MS
            end = start + period.QUARTER_MS
            while label(start - period.QUARTER_MS, size, zone) == text:  # at most three times, as the next
                start -= period.QUARTER_MS
            while label(end, size, zone) == text:
                end += period.QUARTER_MS
            return Window(text, start, end)
        case "day":
            return _day(date.fromisoformat(text), zone)
        case "month":
            return Window(text, *period.month_bounds(text, zone.key))


def windows(start: int, end: int, size: WindowSize, zone: ZoneInfo) -> Iterator[Window]:
    """Every window from the one in which `start` lies to the last that begins before `end`, in order."""
    if size in ("minute", "hour"):
        found = window_at(start, size, zone)
        while found.start < end:
            yield found
            found = window_at(found.end, size, zone)
        return
    on = period.day_of(start, zone.key)
    while True:
        found = (
            _day(on, zone) if size == "day" else Window(f"{on:%Y-%m}", *period.month_bounds(f"{on:%Y-%m}", zone.key))
        )
        if found.start >= end:
            return
        if found.start < found.end:  # a zone that moved over the date line has a day without an hour
            yield found
        on = on + timedelta(days=1) if size == "day" else period.next_month(on)


def bounds(
    first: Moment | None, last: Moment | None, size: WindowSize, zone: ZoneInfo
) -> tuple[int | None, int | None]:
    """Epoch ms of the start and (exclusive) end of the windows in which a span lies; None: it is open there.

    Days are included, a time as `last` is not. A window is whole, wherever in it `first` and `last` lie.

    :raises InputInvalid: the first is after the last.
    """
    start = None if first is None else window_at(_epoch_ms(first, zone), size, zone).start
    end = None
    if last is not None:
        after = _epoch_ms(last, zone) if isinstance(last, datetime) else _epoch_ms(_bounded(last), zone, days=1)
        end = window_at(after - 1, size, zone).end
    if start is not None and end is not None and start >= end:
        raise InputInvalid("The first day must not be after the last, nor the first moment at or after it")
    return start, end


def first_kept(now: int, life_ms: int, size: WindowSize, zone: ZoneInfo, grain_ms: int) -> Window:
    """The first window of which everything is still kept.

    What is counted lives for `life_ms` in pieces of `grain_ms` since 1970, which may begin up to five minutes early.

    >>> first_kept(0, 90 * 86_400_000, "day", ZoneInfo("UTC"), 86_400_000).label
    '1969-10-04'
    """
    oldest = now - life_ms + (AHEAD_MS if size != "minute" else 0)
    oldest += -oldest % grain_ms
    found = window_at(oldest, size, zone)
    return found if found.start >= oldest else window_at(found.end, size, zone)


def moment(text: str) -> Moment:
    """A date (`2026-11-22`) or a date-time (`2026-11-22T08:00`, with or without a distance from UTC).

    :raises InputInvalid: it is neither.
    """
    try:
        return date.fromisoformat(text) if len(text) == len("2026-11-22") else datetime.fromisoformat(text)
    except ValueError:
        raise InputInvalid(
            f"{text[:60]!r} is no time; write a date like 2026-11-22 or a date-time like 2026-11-22T08:00:00Z"
        ) from None


def _day(on: date, zone: ZoneInfo) -> Window:
    return Window(on.isoformat(), period.day_start(on, zone.key), period.day_start(on + timedelta(days=1), zone.key))


def _epoch_ms(when: Moment, zone: ZoneInfo, days: int = 0) -> int:
    if isinstance(when, datetime):
        if not FIRST_DAY < when.date() < LAST_DAY:
            return period.day_start(_bounded(when.date()), zone.key)
        return round((when if when.tzinfo else when.replace(tzinfo=zone)).timestamp() * 1000)
    return period.day_start(_bounded(when) + timedelta(days=days), zone.key)


def _bounded(on: date) -> date:
    return min(max(on, FIRST_DAY), LAST_DAY)
