"""Windows of any zone: none is missing, none is counted twice."""

import itertools
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metering.test_usage import moment
from veloflux.errors import InputInvalid
from veloflux.kit.clock import DAY_MS, HOUR_MS, MINUTE_MS
from veloflux.metering import usage_windows
from veloflux.metering.usage_windows import WindowSize, bounds, first_kept, label, window_at, windows

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
ZONES = [
    "America/Sao_Paulo",
    "Europe/Lisbon",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Apia",
]
times = st.integers(moment("2000-01-01T00:00:00Z"), moment("2035-01-01T00:00:00Z"))


@settings(deadline=None)
@given(times, st.sampled_from(ZONES), st.sampled_from(["hour", "day", "month"]))
def test_windows_follow_each_other_without_a_gap(at: int, name: str, size: WindowSize) -> None:
    zone, length = ZoneInfo(name), {"hour": 30 * HOUR_MS, "day": 40 * DAY_MS, "month": 400 * DAY_MS}[size]
    found = list(windows(at, at + length, size, zone))
    assert found[0].start <= at
    assert found[-1].start < at + length <= found[-1].end
    for one, following in itertools.pairwise(found):
        assert one.end == following.start
        assert one.start < one.end
    assert len({window.label for window in found}) == len(found)


@settings(deadline=None)
@given(times, st.sampled_from(ZONES))
def test_an_hour_consists_of_the_times_that_have_its_label(at: int, name: str) -> None:
    zone = ZoneInfo(name)
    found = window_at(at, "hour", zone)
    assert found.start <= at < found.end <= found.start + HOUR_MS
    quarters = range(found.start - 2 * HOUR_MS, found.end + 2 * HOUR_MS, 15 * MINUTE_MS)
    inside = [quarter for quarter in quarters if label(quarter, "hour", zone) == found.label]
    assert (inside[0], inside[-1] + 15 * MINUTE_MS) == (found.start, found.end)


def day(text: str, zone: ZoneInfo) -> list[str]:
    on = date.fromisoformat(text)
    start, end = bounds(on, on, "hour", zone)
    assert start is not None
    assert end is not None
    return [window.label for window in windows(start, end, "hour", zone)]


def test_days_have_23_and_25_hours_where_the_clock_is_changed() -> None:
    assert day("2018-11-04", SAO_PAULO)[0] == "2018-11-04T01:00:00-02:00"  # midnight does not exist
    assert len(day("2018-11-04", SAO_PAULO)) == 23
    longest = day("2018-02-17", SAO_PAULO)
    assert longest[-2:] == ["2018-02-17T23:00:00-02:00", "2018-02-17T23:00:00-03:00"]
    assert len(longest) == 25
    assert len(day("2026-03-29", ZoneInfo("Europe/Lisbon"))) == 23


def test_a_clock_that_is_set_back_by_half_an_hour_shows_half_an_hour_twice() -> None:
    hours = day("2026-04-05", ZoneInfo("Australia/Lord_Howe"))
    assert hours[1:3] == ["2026-04-05T01:00:00+11:00", "2026-04-05T01:00:00+10:30"]
    assert len(hours) == 25


def test_a_day_that_a_zone_left_out_is_no_window() -> None:
    found = windows(moment("2011-12-29T12:00:00Z"), moment("2011-12-31T12:00:00Z"), "day", ZoneInfo("Pacific/Apia"))
    assert [window.label for window in found] == ["2011-12-29", "2011-12-31", "2012-01-01"]


def test_days_are_included_and_a_last_moment_is_not() -> None:
    morning = datetime(2025, 5, 17, 8, tzinfo=SAO_PAULO)
    assert bounds(morning, morning.replace(hour=9), "hour", SAO_PAULO) == (
        moment("2025-05-17T11:00:00Z"),
        moment("2025-05-17T12:00:00Z"),
    )
    assert bounds(morning.replace(tzinfo=None), morning.replace(hour=9, minute=1), "hour", SAO_PAULO) == (
        moment("2025-05-17T11:00:00Z"),
        moment("2025-05-17T13:00:00Z"),
    )
    assert bounds(date(2025, 5, 17), date(2025, 5, 17), "day", SAO_PAULO) == bounds(
        morning, datetime(2025, 5, 18, 2, tzinfo=UTC), "day", SAO_PAULO
    )
    for first, last in ((date.min, date.max), (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))):
        start, end = bounds(first, last, "day", SAO_PAULO)
        assert start == moment("1999-12-31T02:00:00Z")
        assert end
        assert end >= moment("2100-01-01T00:00:00Z")


def test_a_span_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(InputInvalid, match="after the last"):
        bounds(date(2025, 5, 2), date(2025, 5, 1), "day", SAO_PAULO)


def test_a_text_is_a_date_or_a_time() -> None:
    assert usage_windows.moment("2025-05-17") == date(2025, 5, 17)
    assert usage_windows.moment("2025-05-17T08:00:00Z") == datetime(2025, 5, 17, 8, tzinfo=UTC)
    for bad in ("", "yesterday", "2025-13-01", "2025-02-30T00:00"):
        with pytest.raises(InputInvalid):
            usage_windows.moment(bad)


@settings(deadline=None)
@given(times, st.sampled_from(ZONES), st.sampled_from(["hour", "day", "month"]))
def test_from_the_first_window_that_is_kept_every_day_of_utc_is(now: int, name: str, size: WindowSize) -> None:
    found = first_kept(now, 90 * DAY_MS, size, ZoneInfo(name), DAY_MS)
    first_day = found.start - found.start % DAY_MS
    assert first_day > now - 90 * DAY_MS  # the day began later than its key would have had to end
    before = window_at(found.start - 1, size, ZoneInfo(name))
    assert before.start <= now - 90 * DAY_MS + DAY_MS + 5 * MINUTE_MS
