"""The stretches of time that counters stand for: their names in keys, and how long the keys live. Pure."""

import functools
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from veloflux.kit.clock import DAY_MS, HOUR_MS

USAGE_MS = 90 * DAY_MS
TOTAL_MS = 400 * DAY_MS
MINUTES_KEPT_MS = 7 * HOUR_MS
"""How old an event may be that is counted in its minute: an hour more than anybody asks for, since clocks differ."""
MINUTES_MS = 8 * HOUR_MS
SPAN_LIVES = (8 * DAY_MS, USAGE_MS, TOTAL_MS)
"""Of the hours, days and months that distinct values and quantiles are kept by."""


class Spans(NamedTuple):
    """The hour, the day and the month of a time in a zone."""

    hour: str
    day: str
    month: str


def spans(at: int, zone: str) -> Spans:
    """Where a time, epoch ms, lies. The hour that a clock set back shows twice is one.

    >>> spans(1431831600000, "America/Sao_Paulo")
    Spans(hour='2015-05-17t00', day='2015-05-17', month='2015-05')
    """
    shown = datetime.fromtimestamp(at / 1000, ZoneInfo(zone))
    day = shown.date().isoformat()
    return Spans(f"{day}t{shown.hour:02}", day, day[:7])


def utc_hour(at: int) -> str:
    """The name of the UTC hour of a time in epoch ms.

    >>> utc_hour(1431831600000)
    '2015-05-17t03'
    """
    return _utc_hour(at // HOUR_MS)


@functools.lru_cache(maxsize=1_000)
def _utc_hour(number: int) -> str:
    return f"{datetime.fromtimestamp(number * HOUR_MS / 1000, UTC):%Y-%m-%dt%H}"
