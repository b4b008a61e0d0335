"""How much of what was billed in advance is earned: numbers worked by hand, and the sum that is always exact."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veloflux.billing.arithmetic.deferral import Service, deferred, earned, release_due


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


FEBRUARY = Service(2_900, ms("2024-02-01"), ms("2024-03-01"))
SHORT = Service(100, ms("2024-02-01"), ms("2024-02-01T00:00:03"))


@pytest.mark.parametrize(
    ("name", "service", "at", "cents"),
    [
        ("before it begins", FEBRUARY, "2024-01-31", 0),
        ("when it begins", FEBRUARY, "2024-02-01", 0),
        ("a day of twenty-nine", FEBRUARY, "2024-02-02", 100),
        ("half a day", FEBRUARY, "2024-02-01T12:00", 50),
        ("a part of a second does not count", SHORT, "2024-02-01T00:00:01.999", 33),
        ("two of three seconds, rounded half up", SHORT, "2024-02-01T00:00:02", 67),
        ("a half is rounded up", Service(1, SHORT.start, SHORT.start + 2_000), "2024-02-01T00:00:01", 1),
        ("a half of a credit as its debit", Service(-1, SHORT.start, SHORT.start + 2_000), "2024-02-01T00:00:01", -1),
        ("at its end", FEBRUARY, "2024-03-01", 2_900),
        ("long after", FEBRUARY, "2034-03-01", 2_900),
        ("a credit for the rest of a price", FEBRUARY._replace(amount=-2_900), "2024-02-11", -1_000),
        ("without duration", FEBRUARY._replace(end=FEBRUARY.start), "2024-02-01", 2_900),
        ("without duration, before it", FEBRUARY._replace(end=FEBRUARY.start), "2024-01-31", 0),
        ("of nothing", FEBRUARY._replace(amount=0), "2024-02-11", 0),
    ],
)
def test_earned(name: str, service: Service, at: str, cents: int) -> None:
    assert earned(service, ms(at)) == cents, name


def test_what_an_upgrade_leaves_is_released_as_the_new_price() -> None:
    # 100.00 for 18 February to 18 March; on the 25th a credit of 75.86 and a debit of 227.59 for the 22 days left
    start, change, end = ms("2024-02-18"), ms("2024-02-25"), ms("2024-03-18")
    lines = [Service(10_000, start, end), Service(-7_586, change, end), Service(22_759, change, end)]
    assert [release_due(lines, None, change), release_due(lines, change, change + 86_400_000)] == [2_414, 1_035]
    assert deferred(lines, change) == 22_759
    assert release_due(lines, None, end) == 10_000 - 7_586 + 22_759


@given(
    services=st.lists(st.builds(Service, st.integers(-(10**9), 10**9), st.integers(0, 10**7), st.integers(0, 10**7))),
    times=st.lists(st.integers(0, 2 * 10**7)),
)
def test_however_often_it_is_released_all_releases_are_the_whole(services: list[Service], times: list[int]) -> None:
    moments = [*sorted(times), 2 * 10**7]
    released = [release_due(services, after, at) for after, at in zip([None, *moments], moments, strict=False)]
    assert sum(released) == sum(service.amount for service in services)
    for count, at in enumerate(moments, 1):
        assert sum(released[:count]) + deferred(services, at) == sum(service.amount for service in services)
