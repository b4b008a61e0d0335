"""What a part of a period costs, and what a change within one gives back and asks for.

By the second: times lose what is beyond whole seconds. By the day: days of the tenant's zone, from that of the start
on, without that of the end, so the day of a change has the new price. Discounts are taken off before. Amounts are minor
units, each rounded half up by itself.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from veloflux.billing.arithmetic.periods import Period
from veloflux.kit.money import share
from veloflux.kit.period import day_of


class Charge(NamedTuple):
    """A fixed charge, of a plan or an add-on.

    `amount` is what a whole period of it costs: all of its quantity, after discounts. `billed` is what was billed for
    the stretch that a change cuts short, which began with the period or with the change before, and was not credited
    yet; nothing if it is paid in arrears.
    """

    name: str
    amount: int
    billed: int = 0


class Prorated(NamedTuple):
    """A line of a change: a `credit` has a negative amount. `start` and `end` in epoch ms."""

    kind: Literal["credit", "debit"]
    name: str
    amount: int
    start: int
    end: int


def fraction(part: Period, whole: Period, days_in: str = "") -> tuple[int, int]:
    """How much of a period a part of it is, as two whole numbers: of seconds or, with a zone in `days_in`, of days.

    >>> fraction(Period(1708819200999, 1710720000000), Period(1708214400000, 1710720000000))
    (1900800, 2505600)
    >>> fraction(Period(1708819200999, 1710720000000), Period(1708214400000, 1710720000000), "UTC")
    (22, 29)
    """
    return _length(part, days_in), _length(whole, days_in)


def portion(amount: int, part: Period, whole: Period, days_in: str = "") -> int:
    """What of the amount of a whole period falls to a part of it.

    >>> portion(10000, Period(1708819200000, 1710720000000), Period(1708214400000, 1710720000000))
    7586
    """
    return share(amount, *fraction(part, whole, days_in))


def credit_lines(old: Iterable[Charge], rest: Period, whole: Period, days_in: str = "") -> list[Prorated]:
    """What is given back for the rest of a period: never more than was billed for it. Nothing is no line.

    A change has these lines of the charges that end, then the debits of those that begin.

    >>> [line.amount for line in credit_lines([Charge("pro", 1000, billed=400)], Period(5000, 10000), Period(0, 10000))]
    [-400]
    """
    part = fraction(rest, whole, days_in)
    amounts = [(charge.name, min(share(charge.amount, *part), charge.billed)) for charge in old]
    return [Prorated("credit", name, -amount, *rest) for name, amount in amounts if amount > 0]


def debit_lines(new: Iterable[Charge], rest: Period, whole: Period, days_in: str = "") -> list[Prorated]:
    """What is asked for the rest of a period. Nothing is no line.

    >>> charges = [Charge("pro", 1000), Charge("free", 0)]
    >>> [line.amount for line in debit_lines(charges, Period(5000, 10000), Period(0, 10000))]
    [500]
    """
    part = fraction(rest, whole, days_in)
    amounts = [(charge.name, share(charge.amount, *part)) for charge in new]
    return [Prorated("debit", name, amount, *rest) for name, amount in amounts if amount > 0]


def _length(period: Period, days_in: str) -> int:
    if days_in:
        return (day_of(period.end, days_in) - day_of(period.start, days_in)).days
    return period.end // 1000 - period.start // 1000
