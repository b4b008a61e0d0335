"""When the periods of a grant that recurs begin, by calendar and clock of the tenant's zone. Pure."""

import calendar
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Recurrence = Literal["none", "day", "week", "month", "year"]
DAYS = {"day": 1, "week": 7}
MONTHS = {"month": 1, "year": 12}


def period_start(starts_at: int, recurrence: Recurrence, zone: str, number: int) -> int:
    """Epoch ms at which a period begins; number 0 begins at `starts_at`.

    A month without such a day has its last one instead, and the next goes back to it. A time that a change of clocks
    skips is the first one after it, of one that comes twice it is the first.

    >>> day = period_start(1769860800000, "month", "UTC", 1)  # a month after 2026-01-31 12:00
    >>> datetime.fromtimestamp(day / 1000, UTC).isoformat()
    '2026-02-28T12:00:00+00:00'
    """
    if number == 0 or recurrence == "none":
        return starts_at
    local = _local(starts_at, zone)
    if recurrence in DAYS:
        wanted = local + timedelta(days=number * DAYS[recurrence])
    else:
        months = local.month - 1 + number * MONTHS[recurrence]
        year, month = local.year + months // 12, months % 12 + 1
        last = calendar.monthrange(year, month)[1]
        wanted = local.replace(year=year, month=month, day=min(local.day, last))
    return round(wanted.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).timestamp()) * 1000 + starts_at % 1000


def period_at(starts_at: int, recurrence: Recurrence, zone: str, now: int) -> int:
    """The number of the period that a time (epoch ms) lies in; -1 before the first.

    >>> period_at(1769860800000, "month", "UTC", 1772280000000)  # at 2026-02-28 12:00
    1
    """
    if now < starts_at:
        return -1
    if recurrence == "none":
        return 0
    begun, at = _local(starts_at, zone), _local(now, zone)
    if recurrence in DAYS:
        number = (at.date() - begun.date()).days // DAYS[recurrence]
    else:
        number = ((at.year - begun.year) * 12 + at.month - begun.month) // MONTHS[recurrence]
    number = max(number, 0)
    while period_start(starts_at, recurrence, zone, number) > now:
        number -= 1
    return number


def period_name(starts_at: int, recurrence: Recurrence, zone: str, number: int) -> str:
    """The day on which a period begins in the zone.

    >>> period_name(1769860800000, "day", "America/Sao_Paulo", 1)
    '2026-02-01'
    """
    start = period_start(starts_at, recurrence, zone, number)
    return _local(start, zone).date().isoformat()


def _local(at: int, zone: str) -> datetime:
    """The time on the wall, to the second."""
    return datetime.fromtimestamp(at // 1000, ZoneInfo(zone)).replace(tzinfo=None, fold=0)
