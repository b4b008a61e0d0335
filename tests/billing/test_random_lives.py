"""Random lives of a subscription: any anchor, changes of price at any second, a tenant that moves from zone to zone.

Whatever happens, a period begins where the one before it ended, and what is billed in it is what its stretches cost,
each at the price that it had, but for the rounding of each line.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.billing.test_periods import anchors
from tests.billing.test_periods import zones as some_zones
from veloflux.billing.arithmetic.periods import Anchor, Period, boundary, whole
from veloflux.billing.arithmetic.proration import Charge, credit_lines, debit_lines, fraction, portion
from veloflux.kit.period import moment


class Chapter(NamedTuple):
    """What happens in a period: where the tenant lives, and the new prices, each after so much of the period."""

    zone: str
    changes: Sequence[tuple[Fraction, int]]


class Stretch(NamedTuple):
    """A part of a period with one price, and the lines that were written when it began."""

    part: Period
    price: int
    lines: tuple[int, ...]


class Lived(NamedTuple):
    """A period, the whole one that it is of, and what became of it."""

    period: Period
    of: Period
    days_in: str
    stretches: Sequence[Stretch]


def live(anchor: Anchor, late: int, price: int, by_day: bool, chapters: Sequence[Chapter]) -> Iterator[Lived]:
    """Bill a life that began so many milliseconds after the anchor's second."""
    start = moment(anchor.at, anchor.zone) + late
    for number, chapter in enumerate(chapters):
        moved = anchor if number == 0 else replaced(anchor, chapter.zone)
        period = Period(start, boundary(moved, number + 1))
        of, days_in = whole(moved, number, period), moved.zone if by_day else ""
        stretches = list(stretches_of(period, of, days_in, price, chapter.changes))
        yield Lived(period, of, days_in, stretches)
        start, price = period.end, stretches[-1].price


def stretches_of(
    period: Period, of: Period, days_in: str, price: int, changes: Sequence[tuple[Fraction, int]]
) -> Iterator[Stretch]:
    begun, lines = period.start, (portion(price, period, of, days_in),)
    billed = lines[0]
    for after, new in sorted(changes):
        at = period.start + int((period.end - period.start) * after)
        yield Stretch(Period(begun, at), price, lines)
        rest = Period(at, period.end)
        returned = credit_lines([Charge("base", price, billed)], rest, of, days_in)
        asked = debit_lines([Charge("base", new)], rest, of, days_in)
        begun, price, billed = at, new, sum(line.amount for line in asked)
        lines = tuple(line.amount for line in returned + asked)
    yield Stretch(Period(begun, period.end), price, lines)


def replaced(anchor: Anchor, zone: str) -> Anchor:
    return Anchor(anchor.at, zone, anchor.interval, anchor.count, anchor.day, anchor.calendar)


prices = st.one_of(st.just(0), st.integers(1, 200), st.integers(0, 10**9))
moments = st.one_of(st.just(Fraction(0)), st.fractions(0, Fraction(999, 1000)))
chapters = st.lists(
    st.builds(Chapter, some_zones, st.lists(st.tuples(moments, prices), max_size=4)), min_size=1, max_size=6
)
lives = st.builds(lambda *life: list(live(*life)), anchors, st.integers(0, 999), prices, st.booleans(), chapters)


@settings(deadline=None)
@given(lives)
def test_periods_follow_one_another(lived: list[Lived]) -> None:
    assert all(before.period.end == after.period.start for before, after in pairwise(lived))
    assert all(found.period.start < found.period.end for found in lived)
    assert all(found.of.start <= found.period.start and found.period.end <= found.of.end for found in lived)


@settings(deadline=None)
@given(lives)
def test_what_is_billed_in_a_period_is_what_its_stretches_cost(lived: list[Lived]) -> None:
    for found in lived:
        lines = [amount for stretch in found.stretches for amount in stretch.lines]
        cost = sum(
            stretch.price * Fraction(*fraction(stretch.part, found.of, found.days_in)) for stretch in found.stretches
        )
        assert 2 * abs(sum(lines) - cost) <= len(lines)


@settings(deadline=None)
@given(lives)
def test_nobody_gets_more_back_than_was_billed(lived: list[Lived]) -> None:
    for found in lived:
        lines = [amount for stretch in found.stretches for amount in stretch.lines]
        billed = [sum(lines[: count + 1]) for count in range(len(lines)) if lines[count] < 0]
        assert all(sum_ >= 0 for sum_ in billed)
