"""DDSketch: quantiles from counts of logarithmic bins, at most 1 % from the true value; the counts simply add up.

C. Masson, J. E. Rim, H. K. Lee: DDSketch, a fast and fully-mergeable quantile sketch with relative-error guarantees
(VLDB 2019). With relative accuracy a = 0.01 and g = (1 + a) / (1 - a), bin i holds the amounts in (g^(i-1), g^i] and
stands for 2 g^i / (g + 1), which is at most a away from each of them. Amounts are integers below 2^53 in the meter's
places, so there are at most 1,838 bins of each sign, and none needs to be merged away. Pure.
"""

import math

ACCURACY = 0.01
GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
LOG_GAMMA = math.log(GAMMA)
ZERO = "z"


def bin_of(amount: int) -> str:
    """The bin of an amount: `z` of zero, else its number, behind `-` for a negative amount.

    >>> bin_of(1), bin_of(100), bin_of(-100), bin_of(0)
    ('0', '231', '-231', 'z')
    """
    if amount == 0:
        return ZERO
    number = math.ceil(math.log(abs(amount)) / LOG_GAMMA)
    return f"-{number}" if amount < 0 else str(number)


def value_of(bin_: str) -> float:
    """The amount that a bin stands for.

    >>> round(value_of("231"), 2), value_of("z"), round(value_of("-231"), 2)
    (100.49, 0.0, -100.49)
    """
    if bin_ == ZERO:
        return 0.0
    size = 2 * GAMMA ** int(bin_.removeprefix("-")) / (GAMMA + 1)
    return -size if bin_.startswith("-") else size
