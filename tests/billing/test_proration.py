"""What a change within a period costs, by the second and by the day, worked by hand.

Each case: what was paid for and what is wanted now (amounts of a whole period in minor units, after discounts), when,
in which period, and the lines. The fraction that is left stands in the case's name.
"""

from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from math import floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veloflux.billing.arithmetic.periods import Period
from veloflux.billing.arithmetic.proration import Charge, Prorated, credit_lines, debit_lines, fraction, portion

SAO_PAULO, NEW_YORK, PARIS = "America/Sao_Paulo", "America/New_York", "Europe/Paris"
FEBRUARY = "2024-02-18T00:00Z", "2024-03-18T00:00Z"
APRIL = "2024-04-01T00:00Z", "2024-05-01T00:00Z"
MARCH_NY = "2024-03-01T00:00-05:00", "2024-04-01T00:00-04:00"
OCTOBER_PARIS = "2024-10-01T00:00+02:00", "2024-11-01T00:00+01:00"
YEAR = "2024-01-01T00:00Z", "2025-01-01T00:00Z"


def ms(moment: str) -> int:
    found = datetime.fromisoformat(moment)
    assert found.tzinfo
    return round(found.timestamp() * 1000)


def period(moments: tuple[str, str]) -> Period:
    return Period(ms(moments[0]), ms(moments[1]))


def prorate(old: list[Charge], new: list[Charge], rest: Period, whole: Period, days_in: str = "") -> list[Prorated]:
    return credit_lines(old, rest, whole, days_in) + debit_lines(new, rest, whole, days_in)


def paid(amount: int) -> list[Charge]:
    return [Charge("old", amount, amount)] if amount else [Charge("old", 0)]


BY_SECOND = {
    # name: (old, new, at, whole period, lines)
    "the issue's example: 100.00 to 300.00 with 22 of 29 days left": (
        *(10000, 30000, "2024-02-25T00:00Z", FEBRUARY),
        [-7586, 22759],
    ),
    "the same downwards": (30000, 10000, "2024-02-25T00:00Z", FEBRUARY, [-22759, 7586]),
    "half of a month: 10.00 to 20.00, the usual textbook case": (
        *(1000, 2000, "2024-04-16T00:00Z", APRIL),
        [-500, 1000],
    ),
    "halves go up, each by itself: 2.5 and 7.5 cents": (5, 15, "2024-04-16T00:00Z", APRIL, [-3, 8]),
    "yen have no places: 758.62 and 2275.86": (1000, 3000, "2024-02-25T00:00Z", FEBRUARY, [-759, 2276]),
    "3 seats become 5, 10.00 each, half a month left": (3000, 5000, "2024-04-16T00:00Z", APRIL, [-1500, 2500]),
    "50 % off both, taken before: 3793.10 and 11379.31": (
        *(5000, 15000, "2024-02-25T00:00Z", FEBRUARY),
        [-3793, 11379],
    ),
    "free to paid: no zero line": (0, 30000, "2024-02-25T00:00Z", FEBRUARY, [22759]),
    "paid to free: no zero line": (10000, 0, "2024-02-25T00:00Z", FEBRUARY, [-7586]),
    "at the beginning: all of it": (10000, 30000, FEBRUARY[0], FEBRUARY, [-10000, 30000]),
    "at the end: nothing": (10000, 30000, FEBRUARY[1], FEBRUARY, []),
    "one second left of 2,505,600: less than half a cent": (
        *(10000, 30000, "2024-03-17T23:59:59Z", FEBRUARY),
        [],
    ),
    "one second left of a price of a million: 39.91 cents and 119.73": (
        *(100_000_000, 300_000_000, "2024-03-17T23:59:59Z", FEBRUARY),
        [-40, 120],
    ),
    "999 ms later is the same second": (10000, 30000, "2024-02-25T00:00:00.999Z", FEBRUARY, [-7586, 22759]),
    "a month of 743 hours, 383 left (New York, March)": (
        *(10000, 20000, "2024-03-16T01:00-04:00", MARCH_NY),
        [-5155, 10310],
    ),
    "a month of 745 hours, 121 left (Paris, October)": (
        *(10000, 20000, "2024-10-27T00:00+02:00", OCTOBER_PARIS),
        [-1624, 3248],
    ),
    "a leap year, 184 of 366 days left": (120000, 240000, "2024-07-01T00:00Z", YEAR, [-60328, 120656]),
}


@pytest.mark.parametrize("case", BY_SECOND)
def test_a_change_by_the_second(case: str) -> None:
    old, new, at, whole, expected = BY_SECOND[case]
    found = prorate(paid(old), [Charge("new", new)], Period(ms(at), ms(whole[1])), period(whole))
    assert [line.amount for line in found] == expected


BY_DAY = {
    # name: (zone, old, new, at, whole period, lines)
    "22 of 29 days, as by the second": ("UTC", 10000, 30000, "2024-02-25T00:00Z", FEBRUARY, [-7586, 22759]),
    "the day of the change has the new price": ("UTC", 10000, 30000, "2024-02-25T23:59Z", FEBRUARY, [-7586, 22759]),
    "02:00 of the 25th is still the 24th in São Paulo: 23 of 29": (
        *(SAO_PAULO, 10000, 30000, "2024-02-25T02:00Z", ("2024-02-18T00:00-03:00", "2024-03-18T00:00-03:00")),
        [-7931, 23793],
    ),
    "the first day: all of it": ("UTC", 10000, 30000, "2024-02-18T18:00Z", FEBRUARY, [-10000, 30000]),
    "the day that the period ends on: nothing": (
        *("UTC", 10000, 30000, "2024-03-18T09:00Z", ("2024-02-18T15:00Z", "2024-03-18T15:00Z")),
        [],
    ),
    "a month with a short day, 16 of 31 left (New York, March)": (
        *(NEW_YORK, 10000, 20000, "2024-03-16T00:00-04:00", MARCH_NY),
        [-5161, 10323],
    ),
    "a month with a long day, 5 of 31 left (Paris, October)": (
        *(PARIS, 10000, 20000, "2024-10-27T12:00+01:00", OCTOBER_PARIS),
        [-1613, 3226],
    ),
}


@pytest.mark.parametrize("case", BY_DAY)
def test_a_change_by_the_day(case: str) -> None:
    zone, old, new, at, whole, expected = BY_DAY[case]
    found = prorate(paid(old), [Charge("new", new)], Period(ms(at), ms(whole[1])), period(whole), zone)
    assert [line.amount for line in found] == expected


FIRST_BY_CALENDAR = "2024-02-11T15:00-05:00", "2024-03-01T00:00-05:00"
FEBRUARY_NY = "2024-02-01T00:00-05:00", "2024-03-01T00:00-05:00"
PORTIONS = {
    # name: (amount, part, whole, zone of days, portion)
    "the first part of a calendar month: 441 of 696 hours": (10000, FIRST_BY_CALENDAR, FEBRUARY_NY, "", 6336),
    "the same by the day: 19 of 29": (10000, FIRST_BY_CALENDAR, FEBRUARY_NY, NEW_YORK, 6552),
    "a last part: 9 of 31 days": (
        *(10000, ("2024-05-11T00:00Z", "2024-05-20T00:00Z"), ("2024-05-11T00:00Z", "2024-06-11T00:00Z")),
        *("", 2903),
    ),
    "a whole period": (9999, FEBRUARY, FEBRUARY, "", 9999),
    "a whole period by the day": (9999, FEBRUARY, FEBRUARY, SAO_PAULO, 9999),
    "no part": (10000, (FEBRUARY[0], FEBRUARY[0]), FEBRUARY, "", 0),
    "no price": (0, FIRST_BY_CALENDAR, FEBRUARY_NY, "", 0),
}


@pytest.mark.parametrize("case", PORTIONS)
def test_a_part_of_a_period_costs_its_portion(case: str) -> None:
    amount, part, whole, zone, expected = PORTIONS[case]
    assert portion(amount, period(part), period(whole), zone) == expected


def test_a_line_says_what_it_is_of() -> None:
    rest = Period(ms("2024-02-25T00:00Z"), ms(FEBRUARY[1]))
    found = prorate([Charge("Pro", 10000, 10000)], [Charge("Enterprise", 30000)], rest, period(FEBRUARY))
    assert found == [Prorated("credit", "Pro", -7586, *rest), Prorated("debit", "Enterprise", 22759, *rest)]


@pytest.mark.parametrize(
    ("billed", "credit"),
    [(10000, [-7586]), (7586, [-7586]), (7585, [-7585]), (5000, [-5000]), (1, [-1]), (0, [])],
    ids=["all was paid", "just as much", "a cent less", "a half was credited", "a cent is left", "all was credited"],
)
def test_a_credit_never_exceeds_what_was_paid_and_not_credited(billed: int, credit: list[int]) -> None:
    rest = Period(ms("2024-02-25T00:00Z"), ms(FEBRUARY[1]))
    found = credit_lines([Charge("Pro", 10000, billed)], rest, period(FEBRUARY))
    assert [line.amount for line in found] == credit


def test_a_second_change_credits_what_the_first_one_billed() -> None:
    """100.00 to 300.00 with 22 of 29 days left, then to 200.00 with 15 left: 15517.24 and 10344.83."""
    whole = period(FEBRUARY)
    [_, debit] = prorate(
        [Charge("a", 10000, 10000)], [Charge("b", 30000)], Period(ms("2024-02-25T00:00Z"), whole.end), whole
    )
    second = prorate(
        [Charge("b", 30000, debit.amount)], [Charge("c", 20000)], Period(ms("2024-03-03T00:00Z"), whole.end), whole
    )
    assert [line.amount for line in second] == [-15517, 10345]


def test_a_change_in_a_partial_first_period_is_priced_by_the_whole_one() -> None:
    """65.52 were billed for 19 of 29 days; with 10 left 34.48 come back and 103.45 are due, by the day."""
    whole, end = period(FEBRUARY_NY), ms(FEBRUARY_NY[1])
    billed = portion(10000, period(FIRST_BY_CALENDAR), whole, NEW_YORK)
    rest = Period(ms("2024-02-20T08:00-05:00"), end)
    found = prorate([Charge("a", 10000, billed)], [Charge("b", 30000)], rest, whole, NEW_YORK)
    assert [line.amount for line in found] == [-3448, 10345]


START = ms(FEBRUARY[0])
amounts = st.integers(0, 10**12)
charges = st.lists(st.builds(Charge, st.sampled_from("abc"), amounts, amounts), max_size=4)
zones = st.sampled_from(["", "UTC", SAO_PAULO, NEW_YORK, "Pacific/Apia"])
wholes = st.integers(7 * 86_400_000, 366 * 86_400_000).map(lambda length: Period(START, START + length))
cuts = st.lists(st.fractions(0, 1), max_size=8)


def cut(whole: Period, at: Fraction) -> int:
    return whole.start + floor((whole.end - whole.start) * at)


def rounded(amount: int, part: int, whole: int) -> int:
    return floor(Fraction(amount * part, whole) + Fraction(1, 2))


@settings(deadline=None)
@given(charges, charges, wholes, st.fractions(0, 1), zones)
def test_a_credit_is_at_most_what_was_billed_and_a_debit_never_negative(
    old: list[Charge], new: list[Charge], whole: Period, at: Fraction, zone: str
) -> None:
    rest = Period(cut(whole, at), whole.end)
    returned, asked = credit_lines(old, rest, whole, zone), debit_lines(new, rest, whole, zone)
    assert all(line.amount < 0 and line.kind == "credit" for line in returned)
    assert all(line.amount > 0 and line.kind == "debit" for line in asked)
    assert -sum(line.amount for line in returned) <= sum(charge.billed for charge in old)


@settings(deadline=None)
@given(charges, charges, wholes, st.fractions(0, 1), zones)
def test_the_net_of_a_change_is_the_sum_of_amounts_rounded_each_by_itself(
    old: list[Charge], new: list[Charge], whole: Period, at: Fraction, zone: str
) -> None:
    rest = Period(cut(whole, at), whole.end)
    left = fraction(rest, whole, zone)
    asked = sum(rounded(charge.amount, *left) for charge in new)
    returned = sum(min(rounded(charge.amount, *left), charge.billed) for charge in old)
    assert sum(line.amount for line in prorate(old, new, rest, whole, zone)) == asked - returned


@settings(deadline=None)
@given(amounts, wholes, cuts, zones)
def test_the_parts_of_a_period_cost_what_it_costs_but_for_half_a_unit_each(
    amount: int, whole: Period, at: list[Fraction], zone: str
) -> None:
    bounds = [whole.start, *sorted(cut(whole, found) for found in at), whole.end]
    parts = [portion(amount, Period(*pair), whole, zone) for pair in pairwise(bounds)]
    assert 2 * abs(sum(parts) - amount) <= len(parts)
