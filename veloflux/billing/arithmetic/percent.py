"""Percentages as whole numbers, so that what is taken of an amount is exact until it is rounded, once."""

from decimal import Decimal

WHOLE = 10**8
"""A hundred per cent: percentages have up to six places."""


def parts(percent: str) -> int:
    """How many of `WHOLE` a percentage is.

    >>> parts("1.5"), parts("0.000001"), parts("100") == WHOLE
    (1500000, 1, True)
    """
    return int(Decimal(percent).scaleb(6))
