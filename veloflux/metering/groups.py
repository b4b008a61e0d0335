"""The groups that a meter with `group_by` counts apart: one for each combination of values, up to a cap. Pure."""

import functools
import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from veloflux.metering.scalar import canonical

NAMED_MAX = 1_000
"""How many groups of a meter are counted by name; what comes in further ones is counted together."""
OTHER = "other"


class Group(NamedTuple):
    """`id` is its part of keys; `values` the JSON array that it stands for."""

    id: str
    values: str


def group_of(values: Sequence[Any]) -> Group:
    """The group of these values; a property that an event lacks is null.

    >>> group_of(["eu", 2.0, None])
    Group(id='09c8c395e8d67cb5', values='["eu",2,null]')

    :raises ValueError: one is not a JSON scalar.
    """
    return _named(f"[{','.join(map(canonical, values))}]")


@functools.lru_cache(maxsize=10_000)
def _named(values: str) -> Group:
    return Group(hashlib.blake2b(values.encode(), digest_size=8).hexdigest(), values)
