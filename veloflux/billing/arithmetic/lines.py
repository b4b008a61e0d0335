"""A line: what invoices and credit notes are made of.

Its currency, and the taxes that hold, are those of its document. Lines are stored as arrays, for an invoice keeps many.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

import msgspec

Kind = Literal[
    "fixed",  # a fixed charge of a plan
    "usage",  # units of a meter, of one tier where the price has tiers; also such that came late
    "flat",  # what a tier costs itself
    "package",  # packages of units
    "percent",  # a share of the money that a meter sums
    "fee",  # of each unit of a second meter
    "minimum",  # what a charge lacks to its minimum
    "maximum",  # what a charge is beyond its maximum: a negative amount
    "setup",  # the set-up fee of a plan
    "add_on",
    "item",  # one-off, put there by hand
    "credit",  # the unused part of a former price: a negative amount
    "debit",  # the part of a new price
    "adjustment",  # a correction of an earlier document
    "balance",  # lifts a negative sum to zero: it went to a credit note
]


class Line(msgspec.Struct, frozen=True, array_like=True, order=True):
    """`amount` is in minor units, rounded, before `discount`, which has its sign; both before exclusive taxes.

    `name` is what people read: of the charge, add-on or item, as it was then. `start` and `end` bound the period of
    service, in epoch ms. `plan` is whose charge this is: empty for add-ons and items. `quantity` and `price` are
    decimal texts: `price` of one unit, package, seat or tier, in major units, or of one hundred (`percent`). `tier`
    counts from 1; 0 is none.
    """

    kind: Kind
    name: str
    amount: int
    discount: int = 0
    start: int = 0
    end: int = 0
    plan: str = ""
    meter: str = ""
    quantity: str = ""
    price: str = ""
    tier: int = 0

    @property
    def net(self) -> int:
        """What is left after the discount.

        >>> Line("fixed", "Pro", 2999, discount=300).net
        2699
        """
        return self.amount - self.discount


def text(number: Decimal) -> str:
    """A quantity or a price as lines keep it: no exponent, no zeros at the end.

    >>> text(Decimal("30000.000")), text(Decimal("0.0010")), text(Decimal("1E+3")), text(Decimal("0E-9"))
    ('30000', '0.001', '1000', '0')
    """
    plain = f"{number:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def net(lines: Iterable[Line]) -> int:
    """What lines come to after their discounts, in minor units.

    >>> net([Line("fixed", "Pro", 2999, discount=300), Line("credit", "Free", -99)])
    2600
    """
    return sum(line.amount - line.discount for line in lines)
