"""Calendar arithmetic in a tenant's time zone: days, months, billing periods, and the quarters of an hour that usage is
kept in."""

from bisect import bisect_left
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from veloflux.kit.clock import DAY_MS

QUARTER_MS = 900_000
QUARTERS_A_DAY = 96
MIDNIGHT = time()
EPOCH, SECOND = datetime.combine(date(1970, 1, 1), MIDNIGHT), timedelta(seconds=1)


def utc_day(at: int) -> date:
    """The UTC date of an epoch-ms time.

    >>> utc_day(0).isoformat()
    '1970-01-01'
    """
    return date.fromordinal(719_163 + at // DAY_MS)


def quarter_of_day(at: int) -> int:
    """Which of a UTC day's 96 quarters of an hour a time falls into, 0 to 95.

    >>> quarter_of_day(0), quarter_of_day(86_399_999)
    (0, 95)
    """
    return at % DAY_MS // QUARTER_MS


def moment(local: datetime, zone: str) -> int:
    """Epoch ms at which the clocks of a zone show a date and time of day, which has no zone of its own.

    Where a clock change skips it, the first moment after the change; where it comes twice, the first time.

    >>> moment(datetime(2024, 3, 10, 2, 30), "America/New_York") == moment(datetime(2024, 3, 10, 3), "America/New_York")
    True
    """
    clocks = ZoneInfo(zone)
    before, after = (_offset(local.replace(tzinfo=clocks, fold=fold)) for fold in (0, 1))
    seconds = (local - EPOCH - before) // SECOND
    if after > before:  # skipped: the change came since the moment that the new offset would give
        since = range((local - EPOCH - after) // SECOND, seconds + 1)
        seconds = since[bisect_left(since, after, key=lambda at: _offset(datetime.fromtimestamp(at, clocks)))]
    return seconds * 1000


def day_start(on: date, zone: str) -> int:
    """Epoch ms at which a day begins in a zone; where a clock change skips midnight, the first moment that exists.

    >>> day_start(date(2015, 5, 17), "America/Sao_Paulo")
    1431831600000
    """
    return moment(datetime.combine(on, MIDNIGHT), zone)


def day_of(at: int, zone: str) -> date:
    """The date that a calendar in `zone` shows at an epoch-ms time.

    >>> day_of(1431831599999, "America/Sao_Paulo").isoformat()
    '2015-05-16'
    """
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).date()


@lru_cache(maxsize=10_000)
def month_bounds(month: str, zone: str) -> tuple[int, int]:
    """Epoch ms of the start and the (exclusive) end of a month such as `2015-05` in a zone.

    >>> month_bounds("2015-05", "UTC")
    (1430438400000, 1433116800000)
    """
    first = date.fromisoformat(month + "-01")
    return day_start(first, zone), day_start(next_month(first), zone)


def month_of(at: int, zone: str) -> str:
    """The month that a calendar in `zone` shows, as `YYYY-MM`.

    >>> month_of(1430438400000, "America/Sao_Paulo")
    '2015-04'
    """
    return day_of(at, zone).isoformat()[:7]


def next_month(first: date) -> date:
    """The first day of the following month.

    >>> next_month(date(2015, 12, 1)).isoformat()
    '2016-01-01'
    """
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1)


def billing_period(on: date, anchor: str) -> tuple[date, date]:
    """First day of the monthly billing period that a day lies in, and of the next one; `anchor` is an ISO date on which
    one begins, "" the first of a month. Where a month has no such day, its last one takes its place.

    >>> [day.isoformat() for day in billing_period(date(2015, 5, 17), "2014-11-05")]
    ['2015-05-05', '2015-06-05']
    >>> [day.isoformat() for day in billing_period(date(2015, 3, 30), "2015-01-31")]
    ['2015-02-28', '2015-03-31']
    """
    day = date.fromisoformat(anchor).day if anchor else 1
    this = on.replace(day=1)
    begins = _within(this, day)
    if on < begins:
        before = (this - timedelta(days=1)).replace(day=1)
        return _within(before, day), begins
    return begins, _within(next_month(this), day)


def _within(first: date, day: int) -> date:
    last = next_month(first) - timedelta(days=1)
    return first.replace(day=min(day, last.day))


def _offset(at: datetime) -> timedelta:
    return at.utcoffset() or timedelta(0)
