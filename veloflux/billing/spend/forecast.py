"""What will have been used by the end of a phase, from what was used so far. Pure."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from veloflux.kit.money import EXACT

Method = Literal["linear", "too_early"]
"""`linear`: as much in each second to come as in each one so far. `too_early`: nothing can be said yet."""
EARLY_PERCENT = 1


def method_at(elapsed: int, whole: int) -> Method:
    """What can be said when so many ms of a phase have passed.

    >>> method_at(99, 10_000), method_at(100, 10_000)
    ('too_early', 'linear')
    """
    return "linear" if elapsed * 100 >= whole * EARLY_PERCENT else "too_early"


def linear(used: Decimal, elapsed: int, whole: int, places: int) -> Decimal:
    """A quantity at the end of a phase, rounded half up to the places of its meter; at the end, what was used.

    >>> linear(Decimal(10), 1, 3, 0), linear(Decimal("0.5"), 3, 4, places=2), linear(Decimal(7), 4, 4, 0)
    (Decimal('30'), Decimal('0.67'), Decimal('7'))
    """
    exact = EXACT.divide(EXACT.multiply(used, Decimal(whole)), Decimal(elapsed))
    return exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, EXACT)
