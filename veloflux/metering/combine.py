"""How what a meter counted in parts of a time becomes what it counted in all of it. Pure.

The state of a part is a tuple: of `count` and `sum` the sum; of `avg` the sum and the number; of `min` and `max` the
extreme; of `latest` the time, the tie and the amount; of `weighted_sum` the sum of the changes, and that of each change
times the seconds from it to the end of its part. Combining commutes, so that the order of events does not matter.
`unique` and `percentile` have parts of another kind: `usage_spans.py` counts unions, `percentile.py` merges sketches.
"""

import operator
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any

from veloflux.metering.measure import shown
from veloflux.plans import Meter

State = tuple[Any, ...]
SUFFIX = {"avg": ".n", "weighted_sum": ".w"}
"""Of the aggregations whose state is in two fields: what the second one's name ends with."""
FINER = 6
"""A quotient is rounded to so many places more than the meter's."""
HOUR_S = 3_600


def added(one: State, other: State) -> State:
    """Of sums, averages and changes.

    >>> added((10, 2), (5, 1))
    (15, 3)
    """
    return tuple(map(operator.add, one, other))


COMBINE: dict[str, Callable[[State, State], State]] = {
    "count": added,
    "sum": added,
    "avg": added,
    "min": min,
    "max": max,
    "latest": max,  # by time, then by tie
    "weighted_sum": added,
}


def state(aggregation: str, first: str, second: str | None) -> State:
    """A state from the text of its field, and of its second field if it has one.

    >>> state("avg", "15", "3"), state("latest", "1700000000000|42|6f6e65", None)
    ((15, 3), (1700000000000, '6f6e65', 42))
    """
    if aggregation == "latest":
        at, amount, tie = first.split("|", 2)
        return int(at), tie, int(amount)
    return (int(first), int(second or 0)) if aggregation in SUFFIX else (int(first),)


def states(aggregation: str, fields: Mapping[str, str]) -> dict[str, State]:
    """The states of a hash by the names of their first fields.

    >>> states("avg", {"7": "15", "7.n": "3"})
    {'7': (15, 3)}
    """
    suffix = SUFFIX.get(aggregation, "")
    if not suffix:
        return {name: state(aggregation, text, None) for name, text in fields.items()}
    return {
        name: state(aggregation, text, fields.get(name + suffix))
        for name, text in fields.items()
        if not name.endswith(suffix)
    }


def value(meter: Meter, of: State) -> int | Decimal:
    """What a state says in units of the meter; of a weighted sum, whose second part is unit-seconds, in unit-hours.

    >>> gb = Meter(name="gb", event_type="e", aggregation="avg", value_property="gb", unit="GB", places=2)
    >>> value(gb, (100, 3))
    Decimal('0.33333333')
    """
    match meter.aggregation:
        case "avg":
            return quotient(of[0], of[1], meter.places)
        case "latest":
            return shown(of[2], meter.places)
        case "weighted_sum":
            return quotient(of[1], HOUR_S, meter.places)
    return shown(of[0], meter.places)


def quotient(dividend: int, divisor: int, places: int) -> Decimal:
    """Of two integers, the first in 10^-places, rounded half to even.

    >>> quotient(7_200, 3_600, 0), quotient(1, 3, 2)
    (Decimal('2'), Decimal('0.00333333'))
    """
    with localcontext() as context:
        context.prec, context.rounding = 60, ROUND_HALF_EVEN
        exact = (Decimal(dividend) / divisor).scaleb(-places).quantize(Decimal(1).scaleb(-places - FINER))
        plain = exact.normalize()
        return plain.quantize(Decimal(1)) if plain == plain.to_integral_value() else plain
