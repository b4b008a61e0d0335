"""JSON scalars as text: equal values have equal texts, however they were written. Pure."""

import math
from typing import Any

import msgspec

WHOLE_MAX = 2.0**63


def canonical(value: Any) -> str:
    """The one text of a string, number, boolean or null.

    >>> canonical("São"), canonical(1.0), canonical(1), canonical(True), canonical(0.1), canonical(None)
    ('"São"', '1', '1', 'true', '0.1', 'null')

    :raises ValueError: it is an object, an array, or not finite.
    """
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("not finite")
        return str(int(value)) if value.is_integer() and abs(value) < WHOLE_MAX else repr(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is None or isinstance(value, str | bool):
        return msgspec.json.encode(value).decode()
    raise ValueError("not a scalar")
