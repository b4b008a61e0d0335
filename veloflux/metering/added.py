"""What events add to counters, one by one and in lots. Pure."""

from collections.abc import Sequence
from typing import Any, NamedTuple

SLOTS = 1_024
"""A slot is a number of minutes, or below 0 one of quarters of an hour, times so many; plus two for each cut before it;
plus one if it is closed."""
Added = tuple[int, Sequence[int | str]]
"""What one event adds: the number of its shape (counters in an order), and an amount for each of these."""


class Moment(NamedTuple):
    """When an event was, epoch ms, and what it adds: number of the counter and amount, for each. What is of the same
    meter, `slot` and group is counted together; `SLOTS` tells what a slot is."""

    at: int
    slot: int
    added: list[Any]

    @property
    def minute(self) -> bool:
        """Whether its minute is kept."""
        return self.slot > 0

    @property
    def late(self) -> bool:
        """Whether it is an adjustment."""
        return bool(self.slot & 1)


class Lot(NamedTuple):
    """Events of one kind that only adds up, and of one slot: their shape, its counters, and the amounts of each event,
    which are summed up together since that is much less work."""

    shape: int
    counters: list[list[int]]
    rows: list[Sequence[Any]]

    def sum_up(self) -> None:
        """Bring the amounts to the bounds of the counters, once.

        >>> lot = Lot(1, [[0], [5]], [(1, -3), (1, 4)])
        >>> lot.sum_up(), lot.counters, lot.rows
        (None, [[2], [12]], [])
        """
        for counter, amounts in zip(self.counters, zip(*self.rows, strict=True), strict=False):
            counter[0] += sum(map(abs, amounts))
        self.rows.clear()
