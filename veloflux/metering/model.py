"""An event, and what became of a batch of them."""

from typing import Any, NamedTuple

import msgspec

from veloflux.errors import EventRejected

SOURCE = "api"
TEXT_MAX = 200


class Event(msgspec.Struct, frozen=True):
    """One thing that a tenant used, counted once for its source and id. `at` in epoch ms; None: when it arrives."""

    type: str
    id: str
    at: int | None = None
    source: str = SOURCE
    data: dict[str, Any] = msgspec.field(default_factory=dict)


class Rejection(msgspec.Struct, frozen=True, order=True):
    """Why one event of a batch was not counted; `index` counts from 0, `code` is of veloflux.errors."""

    index: int
    code: str
    reason: str


class Result(msgspec.Struct, frozen=True):
    """What became of a batch: each event is in exactly one of the three."""

    accepted: int
    duplicates: int
    rejected: tuple[Rejection, ...] = ()


class Outcome(NamedTuple):
    """The same, and the places of those that came before."""

    result: Result
    repeated: frozenset[int]


def rejection(index: int, error: EventRejected) -> Rejection:
    """What an error means for the event at this place of its batch."""
    return Rejection(index, error.code, str(error))
