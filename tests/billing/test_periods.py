"""When periods begin and end: by the anchor, by the calendar and on a billing day, whatever the clocks do.

The expected moments are written with their offsets from UTC, as the tz database has them.
"""

from datetime import datetime, timedelta
from typing import get_args

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from veloflux.billing.arithmetic.periods import Anchor, Period, anchored, boundary, next_boundary, number_at, whole
from veloflux.errors import InputInvalid
from veloflux.kit.period import moment
from veloflux.plans.terms import Interval

NEW_YORK, PARIS, SAO_PAULO = "America/New_York", "Europe/Paris", "America/Sao_Paulo"
ZONES = [
    "UTC",
    NEW_YORK,
    PARIS,
    SAO_PAULO,
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
]


def ms(moment: str) -> int:
    found = datetime.fromisoformat(moment)
    assert found.tzinfo
    return round(found.timestamp() * 1000)


def at(local: str) -> datetime:
    return datetime.fromisoformat(local)


ANCHORS = {
    "31 January of a leap year, by month": (
        Anchor(at("2024-01-31T10:30:00"), "UTC"),
        "2024-01-31T10:30Z 2024-02-29T10:30Z 2024-03-31T10:30Z 2024-04-30T10:30Z 2024-05-31T10:30Z",
    ),
    "31 January of a common year, by month": (
        Anchor(at("2025-01-31"), "UTC"),
        "2025-01-31T00:00Z 2025-02-28T00:00Z 2025-03-31T00:00Z",
    ),
    "30 January: the 30th again after February": (
        Anchor(at("2025-01-30"), "UTC"),
        "2025-01-30T00:00Z 2025-02-28T00:00Z 2025-03-30T00:00Z",
    ),
    "29 February, by year: the 29th again in leap years": (
        Anchor(at("2024-02-29"), "UTC", "year"),
        "2024-02-29T00:00Z 2025-02-28T00:00Z 2026-02-28T00:00Z 2027-02-28T00:00Z 2028-02-29T00:00Z",
    ),
    "29 February, by four years, over 2100, which is no leap year": (
        Anchor(at("2096-02-29"), "UTC", "year", 4),
        "2096-02-29T00:00Z 2100-02-28T00:00Z 2104-02-29T00:00Z",
    ),
    "30 November, by quarter, over a February": (
        Anchor(at("2023-11-30"), "UTC", "quarter"),
        "2023-11-30T00:00Z 2024-02-29T00:00Z 2024-05-30T00:00Z",
    ),
    "by two weeks, over the end of a year": (
        Anchor(at("2024-12-24T09:00:00"), "UTC", "week", 2),
        "2024-12-24T09:00Z 2025-01-07T09:00Z 2025-01-21T09:00Z",
    ),
    "by 52 weeks: 364 days": (
        Anchor(at("2024-01-01"), "UTC", "week", 52),
        "2024-01-01T00:00Z 2024-12-30T00:00Z",
    ),
    "by 18 months": (
        Anchor(at("2024-08-31"), "UTC", "month", 18),
        "2024-08-31T00:00Z 2026-02-28T00:00Z 2027-08-31T00:00Z",
    ),
    "New York, 02:30 of 10 March 2024 is skipped: 03:00, and 02:30 again in April": (
        Anchor(at("2024-02-10T02:30:00"), NEW_YORK),
        "2024-02-10T02:30-05:00 2024-03-10T03:00-04:00 2024-04-10T02:30-04:00",
    ),
    "New York, 01:30 of 3 November 2024 comes twice: the first": (
        Anchor(at("2024-10-03T01:30:00"), NEW_YORK),
        "2024-10-03T01:30-04:00 2024-11-03T01:30-04:00 2024-12-03T01:30-05:00",
    ),
    "New York, by week over 10 March 2024: a week of 167 hours": (
        Anchor(at("2024-03-04T12:00:00"), NEW_YORK, "week"),
        "2024-03-04T12:00-05:00 2024-03-11T12:00-04:00",
    ),
    "Paris, 02:30 of 31 March 2024 is skipped": (
        Anchor(at("2024-01-31T02:30:00"), PARIS),
        "2024-01-31T02:30+01:00 2024-02-29T02:30+01:00 2024-03-31T03:00+02:00 2024-04-30T02:30+02:00",
    ),
    "Paris, 02:30 of 27 October 2024 comes twice": (
        Anchor(at("2024-09-27T02:30:00"), PARIS),
        "2024-09-27T02:30+02:00 2024-10-27T02:30+02:00 2024-11-27T02:30+01:00",
    ),
    "São Paulo since 2019: one offset all year": (
        Anchor(at("2024-10-04"), SAO_PAULO),
        "2024-10-04T00:00-03:00 2024-11-04T00:00-03:00 2024-12-04T00:00-03:00",
    ),
    "São Paulo, midnight of 4 November 2018 is skipped": (
        Anchor(at("2018-10-04"), SAO_PAULO),
        "2018-10-04T00:00-03:00 2018-11-04T01:00-02:00 2018-12-04T00:00-02:00",
    ),
    "São Paulo, 23:30 of 16 February 2019 comes twice": (
        Anchor(at("2019-01-16T23:30:00"), SAO_PAULO),
        "2019-01-16T23:30-02:00 2019-02-16T23:30-02:00 2019-03-16T23:30-03:00",
    ),
    "Apia, all of 30 December 2011 is skipped": (
        Anchor(at("2011-11-30T12:00:00"), "Pacific/Apia"),
        "2011-11-30T12:00-10:00 2011-12-31T00:00+14:00 2012-01-30T12:00+14:00",
    ),
    "calendar, by month: midnight of the 1st": (
        Anchor(at("2024-02-11T15:00:00"), NEW_YORK, calendar=True),
        "2024-02-01T00:00-05:00 2024-03-01T00:00-05:00 2024-04-01T00:00-04:00",
    ),
    "calendar, by month, begun at midnight of the 1st": (
        Anchor(at("2024-03-01"), PARIS, calendar=True),
        "2024-03-01T00:00+01:00 2024-04-01T00:00+02:00",
    ),
    "calendar, by week: Monday, 11 March 2024": (
        Anchor(at("2024-03-17T23:59:59"), NEW_YORK, "week", calendar=True),
        "2024-03-11T00:00-04:00 2024-03-18T00:00-04:00",
    ),
    "calendar, by two weeks, begun in the second": (
        Anchor(at("2024-03-13"), "UTC", "week", 2, calendar=True),
        "2024-03-04T00:00Z 2024-03-18T00:00Z 2024-04-01T00:00Z",
    ),
    "calendar, by quarter": (
        Anchor(at("2024-06-30T12:00:00"), PARIS, "quarter", calendar=True),
        "2024-04-01T00:00+02:00 2024-07-01T00:00+02:00 2024-10-01T00:00+02:00",
    ),
    "calendar, by year": (
        Anchor(at("2024-12-31T23:00:00"), SAO_PAULO, "year", calendar=True),
        "2024-01-01T00:00-03:00 2025-01-01T00:00-03:00",
    ),
    "calendar, by two quarters: January and July": (
        Anchor(at("2024-05-05"), "UTC", "quarter", 2, calendar=True),
        "2024-01-01T00:00Z 2024-07-01T00:00Z",
    ),
    "billing day 5, begun on the 11th": (
        Anchor(at("2024-02-11T15:00:00"), PARIS, day=5),
        "2024-02-05T00:00+01:00 2024-03-05T00:00+01:00 2024-04-05T00:00+02:00",
    ),
    "billing day 31, begun on 15 March: since 29 February": (
        Anchor(at("2024-03-15T15:00:00"), "UTC", day=31),
        "2024-02-29T00:00Z 2024-03-31T00:00Z 2024-04-30T00:00Z",
    ),
    "billing day 31, begun on 30 April: a whole period": (
        Anchor(at("2024-04-30"), "UTC", day=31),
        "2024-04-30T00:00Z 2024-05-31T00:00Z",
    ),
    "billing day 20, by quarter, begun on 10 January: since 20 December": (
        Anchor(at("2024-01-10"), "UTC", "quarter", day=20),
        "2023-12-20T00:00Z 2024-03-20T00:00Z",
    ),
    "billing day 15 of calendar quarters, begun on 10 January": (
        Anchor(at("2024-01-10"), "UTC", "quarter", day=15, calendar=True),
        "2023-10-15T00:00Z 2024-01-15T00:00Z 2024-04-15T00:00Z",
    ),
}


@pytest.mark.parametrize("case", ANCHORS)
def test_boundaries_lie_where_the_anchor_says(case: str) -> None:
    anchor, expected = ANCHORS[case]
    moments = [ms(found) for found in expected.split()]
    assert [boundary(anchor, number) for number in range(len(moments))] == moments


@pytest.mark.parametrize("case", ANCHORS)
def test_the_anchor_lies_in_period_0(case: str) -> None:
    anchor, expected = ANCHORS[case]
    first = moment(anchor.at, anchor.zone)
    assert number_at(anchor, first) == 0
    assert next_boundary(anchor, first) == ms(expected.split()[1])


PARTS = {
    "calendar: 11 February is a part of February": (
        (Anchor(at("2024-02-11T15:00:00"), NEW_YORK, calendar=True), 0),
        ("2024-02-11T15:00:00-05:00", "2024-03-01T00:00:00-05:00", False),
        ("2024-02-01T00:00:00-05:00", "2024-03-01T00:00:00-05:00"),
    ),
    "calendar: the second period is whole": (
        (Anchor(at("2024-02-11T15:00:00"), NEW_YORK, calendar=True), 1),
        ("2024-03-01T00:00:00-05:00", "2024-04-01T00:00:00-04:00", False),
        ("2024-03-01T00:00:00-05:00", "2024-04-01T00:00:00-04:00"),
    ),
    "billing day 5: 11 February is a part of what began on the 5th": (
        (Anchor(at("2024-02-11T15:00:00"), PARIS, day=5), 0),
        ("2024-02-11T15:00:00+01:00", "2024-03-05T00:00:00+01:00", False),
        ("2024-02-05T00:00:00+01:00", "2024-03-05T00:00:00+01:00"),
    ),
    "cut by the end that was agreed": (
        (Anchor(at("2024-02-11"), "UTC"), 3),
        ("2024-05-11T00:00:00+00:00", "2024-05-20T00:00:00+00:00", True),
        ("2024-05-11T00:00:00+00:00", "2024-06-11T00:00:00+00:00"),
    ),
    "first and last at once": (
        (Anchor(at("2024-02-11"), "UTC", calendar=True), 0),
        ("2024-02-11T00:00:00+00:00", "2024-02-20T00:00:00+00:00", True),
        ("2024-02-01T00:00:00+00:00", "2024-03-01T00:00:00+00:00"),
    ),
    "begun in the second turn of an hour: whole all the same": (
        (Anchor(at("2024-11-03T01:30:00"), NEW_YORK), 0),
        ("2024-11-03T01:30:00-05:00", "2024-12-03T01:30:00-05:00", False),
        ("2024-11-03T01:30:00-05:00", "2024-12-03T01:30:00-05:00"),
    ),
    "after a move from Tokyo: what began by its clocks is whole": (
        (Anchor(at("2024-02-01"), SAO_PAULO, calendar=True), 1),
        ("2024-03-01T00:00:00+09:00", "2024-04-01T00:00:00-03:00", False),
        ("2024-03-01T00:00:00+09:00", "2024-04-01T00:00:00-03:00"),
    ),
}


@pytest.mark.parametrize("case", PARTS)
def test_a_price_is_for_the_whole_period(case: str) -> None:
    (anchor, number), (start, end, cut), expected = PARTS[case]
    found = whole(anchor, number, Period(ms(start), ms(end)), cut)
    assert found == Period(ms(expected[0]), ms(expected[1]))


@pytest.mark.parametrize(("time", "number"), [("01:10-04:00", 0), ("01:30-04:00", 1), ("01:10-05:00", 1)])
def test_a_boundary_in_an_hour_that_comes_twice_lies_in_its_first_turn(time: str, number: int) -> None:
    """New York, 3 November 2024: at 01:10 for the second time, 01:30 has been."""
    anchor = Anchor(at("2024-10-27T01:30:00"), NEW_YORK, "week")
    assert number_at(anchor, ms(f"2024-11-03T{time}")) == number
    assert next_boundary(anchor, ms(f"2024-11-03T{time}")) == boundary(anchor, number + 1)


def test_what_is_billed_by_the_week_has_no_billing_day() -> None:
    with pytest.raises(InputInvalid) as caught:
        Anchor(at("2024-02-11"), "UTC", "week", day=5)
    assert caught.value.extra == {"field": "billing_day"}


def test_an_anchor_has_whole_seconds() -> None:
    assert anchored(ms("2024-01-31T23:59:59.999-03:00"), SAO_PAULO) == at("2024-01-31T23:59:59")


times = st.datetimes(at("2000-01-01"), at("2090-01-01")).map(lambda time: time.replace(microsecond=0))
zones, counts = st.sampled_from(ZONES), st.integers(1, 52)
by_anchor = st.builds(Anchor, times, zones, st.sampled_from(get_args(Interval)), counts)
by_calendar = st.builds(Anchor, times, zones, st.sampled_from(get_args(Interval)), counts, calendar=st.just(True))
by_month = st.builds(
    Anchor, times, zones, st.sampled_from(["month", "quarter", "year"]), counts, calendar=st.just(True)
)
by_day = st.builds(
    Anchor, times, zones, st.sampled_from(["month", "quarter", "year"]), counts, st.integers(1, 31), st.booleans()
)
anchors = st.one_of(by_anchor, by_calendar, by_day)
LAST = ms("2180-01-01T00:00:00+00:00")


@settings(deadline=None)
@given(anchors, st.integers(-3, 120))
def test_boundaries_ascend(anchor: Anchor, number: int) -> None:
    assume(anchor.count * number < 300)
    earlier, later = boundary(anchor, number), boundary(anchor, number + 1)
    assert later - earlier >= timedelta(days=6).total_seconds() * 1000


@settings(deadline=None)
@given(anchors, st.integers(0, LAST))
def test_each_time_lies_in_one_period(anchor: Anchor, time: int) -> None:
    number = number_at(anchor, time)
    assert boundary(anchor, number) <= time < boundary(anchor, number + 1) == next_boundary(anchor, time)


@settings(deadline=None)
@given(anchors, st.integers(-3, 60), st.integers(-1, 1))
def test_a_boundary_ends_one_period_and_begins_the_next(anchor: Anchor, number: int, beside: int) -> None:
    assume(anchor.count * number < 300)
    assert number_at(anchor, boundary(anchor, number) + beside) == number - (beside < 0)


@settings(deadline=None)
@given(by_anchor, st.integers(0, 60))
def test_a_boundary_never_drifts(anchor: Anchor, number: int) -> None:
    """The local date and time are those of the anchor, but for the end of a short month and a skipped hour or day."""
    assume(anchor.count * number < 300)
    shown = anchored(boundary(anchor, number), anchor.zone)
    skipped = timedelta(days=1) if anchor.zone == "Pacific/Apia" else timedelta(hours=1)
    if anchor.interval == "week":
        assert timedelta(0) <= shown - anchor.at - timedelta(weeks=anchor.count * number) <= skipped
        return
    last = (shown.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    due = shown.replace(day=min(anchor.at.day, last.day)).replace(**clock_of(anchor.at))
    assert timedelta(0) <= shown - due <= skipped
    passed = (shown.year - anchor.at.year) * 12 + shown.month - anchor.at.month
    months = {"month": 1, "quarter": 3, "year": 12}[anchor.interval]
    assert passed == months * anchor.count * number or shown - due > timedelta(0)


def clock_of(time: datetime) -> dict[str, int]:
    return {"hour": time.hour, "minute": time.minute, "second": time.second}


@settings(deadline=None)
@given(by_month, st.integers(0, 60))
def test_by_the_calendar_several_months_are_quarters_and_years(anchor: Anchor, number: int) -> None:
    number %= 300 // anchor.count  # before the year 9999
    months = {"month": 1, "quarter": 3, "year": 12}[anchor.interval] * anchor.count
    same = Anchor(anchor.at, anchor.zone, "month", months, calendar=True)
    assert boundary(same, number) == boundary(anchor, number)


@settings(deadline=None)
@given(by_calendar, times)
def test_by_the_calendar_periods_are_the_same_for_all(anchor: Anchor, time: datetime) -> None:
    other = Anchor(time, anchor.zone, anchor.interval, anchor.count, calendar=True)
    lies_in = number_at(anchor, boundary(other, 0))
    assert [boundary(anchor, lies_in + n) for n in range(3)] == [boundary(other, n) for n in range(3)]


@settings(deadline=None)
@given(anchors, st.lists(zones, min_size=1, max_size=24))
def test_a_tenant_that_changes_its_zone_has_neither_gaps_nor_overlaps(anchor: Anchor, lives_in: list[str]) -> None:
    """A period ends by the clocks of the zone that the tenant has then: a day longer or shorter than usual, at most."""
    assume(anchor.count < 12)
    end = boundary(anchor, 1)
    for number, zone in enumerate(lives_in, 1):
        moved = Anchor(anchor.at, zone, anchor.interval, anchor.count, anchor.day, anchor.calendar)
        start, end = end, boundary(moved, number + 1)
        usual = boundary(moved, number + 1) - boundary(moved, number)
        assert abs(end - start - usual) <= timedelta(hours=26).total_seconds() * 1000
        assert whole(moved, number, Period(start, end)) == Period(start, end)
