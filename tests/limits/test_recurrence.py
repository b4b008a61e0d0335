"""Periods of recurring grants follow the calendar and the clock on the wall of the tenant's zone."""

import doctest
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veloflux.kit import clock
from veloflux.limits import grant, recurrence
from veloflux.limits.recurrence import Recurrence, period_at, period_start

RECURRENCES: tuple[Recurrence, ...] = ("day", "week", "month", "year")


def at(text: str, zone: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def shown(ms: int, zone: str) -> str:
    return datetime.fromtimestamp(ms / 1000, ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")


@pytest.mark.parametrize("module", [recurrence, grant])
def test_the_worked_examples_hold(module: object) -> None:
    outcome = doctest.testmod(module)  # type: ignore[arg-type]
    assert (outcome.attempted > 0, outcome.failed) == (True, 0)


@pytest.mark.parametrize(
    ("begun", "every", "zone", "expected"),
    [
        ("2026-01-31T09:00", "month", "UTC", ["2026-02-28T09:00", "2026-03-31T09:00", "2026-04-30T09:00"]),
        ("2027-12-31T00:00", "month", "UTC", ["2028-01-31T00:00", "2028-02-29T00:00", "2028-03-31T00:00"]),
        ("2024-02-29T00:00", "year", "UTC", ["2025-02-28T00:00", "2026-02-28T00:00", "2027-02-28T00:00"]),
        ("2026-12-28T00:00", "week", "UTC", ["2027-01-04T00:00", "2027-01-11T00:00", "2027-01-18T00:00"]),
        ("2026-03-28T02:30", "day", "Europe/Berlin", ["2026-03-29T03:30", "2026-03-30T02:30", "2026-03-31T02:30"]),
        ("2026-10-24T02:30", "day", "Europe/Berlin", ["2026-10-25T02:30", "2026-10-26T02:30", "2026-10-27T02:30"]),
        ("2018-11-03T00:00", "day", "America/Sao_Paulo", ["2018-11-04T01:00", "2018-11-05T00:00", "2018-11-06T00:00"]),
    ],
)
def test_periods_begin_when_the_calendar_says(begun: str, every: Recurrence, zone: str, expected: list[str]) -> None:
    found = [period_start(at(begun, zone), every, zone, number) for number in (1, 2, 3)]
    assert [shown(start, zone) for start in found] == expected


def test_a_leap_day_comes_back() -> None:
    begun = at("2024-02-29T00:00", "UTC")
    assert shown(period_start(begun, "year", "UTC", 4), "UTC") == "2028-02-29T00:00"


@given(
    begun=st.integers(clock.EARLIEST, clock.LATEST - 1),
    after=st.integers(0, 20 * 366 * clock.DAY_MS),
    every=st.sampled_from(RECURRENCES),
    zone=st.sampled_from(["UTC", "America/Sao_Paulo", "Europe/Berlin", "Pacific/Apia", "Australia/Lord_Howe"]),
)
def test_every_moment_lies_in_one_period(begun: int, after: int, every: Recurrence, zone: str) -> None:
    now = begun + after
    number = period_at(begun, every, zone, now)
    assert number >= 0
    assert period_start(begun, every, zone, number) <= now < period_start(begun, every, zone, number + 1)


def test_before_the_first_period_there_is_none() -> None:
    assert [period_at(9, one, "UTC", 8) for one in (*RECURRENCES, "none")] == [-1] * 5
