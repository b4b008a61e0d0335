"""An event, and what became of a batch of them."""

from typing import Any, NamedTuple

import msgspec

from veloflux.errors import EventRejected

SOURCE = "api"
TEXT_MAX = 200


class Event(msgspec.Struct, frozen=True, gc=False):
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

    def part(self, start: int, end: int) -> "Outcome":
        """What became of the events from `start` to before `end`, as if they had come alone.

        >>> both = Outcome(Result(1, 1), frozenset({1}))
        >>> both.part(0, 1).result, both.part(1, 2).result
        (Result(accepted=1, duplicates=0, rejected=()), Result(accepted=0, duplicates=1, rejected=()))
        """
        if not self.repeated and not self.result.rejected:
            return Outcome(Result(end - start, 0), self.repeated)
        inside = [one for one in self.result.rejected if start <= one.index < end]
        rejected = tuple(Rejection(one.index - start, one.code, one.reason) for one in inside)
        repeated = frozenset(at - start for at in self.repeated if start <= at < end)
        return Outcome(Result(end - start - len(rejected) - len(repeated), len(repeated), rejected), repeated)


def rejection(index: int, error: EventRejected) -> Rejection:
    """What an error means for the event at this place of its batch."""
    return Rejection(index, error.code, str(error))
