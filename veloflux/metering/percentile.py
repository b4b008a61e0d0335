"""Percentiles of amounts from their sketch, at most 1 % from the amount at that rank. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal

from veloflux.metering.sketch import value_of

PERCENTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
FINER = 4
"""A percentile is rounded to so many places more than the meter's."""


def merged(sketches: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The sketch of all, whatever their order.

    >>> merged([{"0": 1}, {"0": 2, "z": 1}])
    {'0': 3, 'z': 1}
    """
    found: Counter[str] = Counter()
    for one in sketches:
        found.update(one)
    return dict(found)


def percentiles(sketch: Mapping[str, int], places: int) -> dict[str, Decimal]:
    """The median and what 95 and 99 of 100 amounts do not exceed; of nothing, nothing.

    >>> percentiles({"0": 98, "231": 2}, 0)
    {'p50': Decimal('0.9900'), 'p95': Decimal('0.9900'), 'p99': Decimal('100.4946')}
    """
    if not sketch:
        return {}
    return {name: _rounded(quantile(sketch, part), places) for name, part in PERCENTILES.items()}


def quantile(sketch: Mapping[str, int], part: float) -> float:
    """The amount at the rank `part` x (number - 1), that of the smallest being 0."""
    rank, before = part * (sum(sketch.values()) - 1), 0
    ordered = sorted((value_of(name), count) for name, count in sketch.items())
    for amount, count in ordered:
        before += count
        if before > rank:
            return amount
    return ordered[-1][0]


def _rounded(amount: float, places: int) -> Decimal:
    return Decimal(amount).scaleb(-places).quantize(Decimal(1).scaleb(-places - FINER))
