"""When the periods of a subscription begin and end.

Boundaries are counted from an anchor, never from one another, so that nothing drifts: the 31st is the last day of a
short month and the 31st again after it. A subscription keeps the number, start and end of its period; the next one
begins where it ends, and only the end of that is computed, so a tenant that changes its zone has neither a gap nor an
overlap.
"""

from calendar import monthrange
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from veloflux.errors import InputInvalid
from veloflux.kit.period import MIDNIGHT, moment
from veloflux.plans.terms import Interval

MONTHS = {"month": 1, "quarter": 3, "year": 12}


class Period(NamedTuple):
    """From `start` until just before `end`, in epoch ms."""

    start: int
    end: int


class Anchor(msgspec.Struct, frozen=True):
    """What boundaries are counted from: `at`, a date and time of day by the clocks of `zone`, and so many intervals.

    `day`: they lie at the midnight that begins this day of the month (0: at the date and time of `at`). `calendar`:
    they lie at the midnight that begins a Monday, month, quarter or year, and are the same for all: several months are
    counted from January of the year 0, several weeks from the first Monday of the year 1. So 3 months are a quarter.

    :raises InputInvalid: weeks have a day of the month.
    """

    at: datetime
    zone: str
    interval: Interval = "month"
    count: int = 1
    day: int = 0
    calendar: bool = False

    def __post_init__(self) -> None:
        if self.day and self.interval == "week":
            raise InputInvalid("What is billed by the week has no billing day of the month", field="billing_day")


def anchored(at: int, zone: str) -> datetime:
    """The date and time, in whole seconds, that the clocks of a zone show at an epoch-ms time: the `at` of an anchor.

    >>> anchored(1706745599999, "America/Sao_Paulo").isoformat()
    '2024-01-31T20:59:59'
    """
    return datetime.fromtimestamp(at // 1000, ZoneInfo(zone)).replace(tzinfo=None)


def boundary(anchor: Anchor, number: int) -> int:
    """Epoch ms at which the period of this number begins, and the one before it ends.

    Period 0 is the one that the anchor lies in: with a billing day or by the calendar it begins before the anchor.

    >>> january = Anchor(datetime(2024, 1, 31), "UTC")
    >>> [anchored(boundary(january, n), "UTC").strftime("%d %b") for n in range(4)]
    ['31 Jan', '29 Feb', '31 Mar', '30 Apr']
    """
    return moment(_local(anchor, number), anchor.zone)


def number_at(anchor: Anchor, at: int) -> int:
    """The number of the period that an epoch-ms time lies in, negative before period 0.

    >>> number_at(Anchor(datetime(2024, 1, 31), "UTC"), boundary(Anchor(datetime(2024, 1, 31), "UTC"), 40))
    40
    """
    local, origin = anchored(at, anchor.zone), _origin(anchor)
    if anchor.interval == "week":
        number = (local - origin) // timedelta(weeks=anchor.count)
    else:
        number = (_month(local) - _month(origin)) // _months(anchor)
    number += 1  # an hour that comes twice has the boundary in its first turn; a day of the month may lie ahead
    while boundary(anchor, number) > at:  # at most twice
        number -= 1
    return number


def next_boundary(anchor: Anchor, at: int) -> int:
    """Epoch ms of the first boundary after a time.

    >>> anchored(next_boundary(Anchor(datetime(2024, 5, 17), "UTC", "quarter", calendar=True), 0), "UTC").isoformat()
    '1970-04-01T00:00:00'
    """
    return boundary(anchor, number_at(anchor, at) + 1)


def whole(anchor: Anchor, number: int, period: Period, cut: bool = False) -> Period:
    """The whole period, which is what a price is for, that a stored one is or is a part of: the first may begin later
    than it, one that is `cut` ends earlier.

    >>> by_month = Anchor(datetime(2024, 2, 11), "UTC", calendar=True)
    >>> first = Period(1707609600000, next_boundary(by_month, 1707609600000))
    >>> [anchored(at, "UTC").day for at in first], [anchored(at, "UTC").day for at in whole(by_month, 0, first)]
    ([11, 1], [1, 1])
    """
    start, end = period
    if number == 0 and _local(anchor, 0) != anchor.at:
        start = boundary(anchor, 0)
    return Period(start, boundary(anchor, number + 1) if cut else end)


def _local(anchor: Anchor, number: int) -> datetime:
    origin = _origin(anchor)
    if anchor.interval == "week":
        return origin + timedelta(weeks=number * anchor.count)
    day = anchor.day or (1 if anchor.calendar else anchor.at.day)
    return _on(origin, _month(origin) + number * _months(anchor), day)


def _origin(anchor: Anchor) -> datetime:
    """Where period 0 begins."""
    if not anchor.day and not anchor.calendar:
        return anchor.at
    midnight = datetime.combine(anchor.at, MIDNIGHT)
    if anchor.interval == "week":
        weeks = (midnight.toordinal() - 1) // 7
        return datetime.fromordinal(1 + 7 * (weeks - weeks % anchor.count))
    day, month = anchor.day or 1, _month(midnight)
    month -= _on(midnight, month, day) > midnight
    return _on(midnight, month - month % _months(anchor) if anchor.calendar else month, day)


def _on(time: datetime, month: int, day: int) -> datetime:
    """That time of day on a day of a month, or on its last one."""
    year, index = divmod(month, 12)
    return time.replace(year=year, month=index + 1, day=min(day, monthrange(year, index + 1)[1]))


def _month(local: datetime) -> int:
    """Months since January of the year 0."""
    return local.year * 12 + local.month - 1


def _months(anchor: Anchor) -> int:
    return MONTHS[anchor.interval] * anchor.count
