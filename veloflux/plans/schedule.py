"""What billing knows ahead of a tenant: which meters its subscriptions price, and when periods and phases begin.

From each of these times (cuts) to the next lies a segment, of which money reads the usage as one sum. Billing writes
the schedule in its commits, each of which writes the policy too.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

from veloflux.db import documents, keys
from veloflux.db.commit import Commit
from veloflux.db.documents import Entity
from veloflux.kit.clock import EARLIEST, LATEST
from veloflux.plans.catalogue import SUMS, Meter

CUTS_MAX = 500
NOWHERE = 0
"""Instead of the start of a segment: what is before the first cut is in none."""


class Schedule(Entity, frozen=True, kw_only=True):
    """`meters` are names; `cuts` are ascending, in epoch ms of the tenant's clock.

    A cut stays for as long as events of its segment may come: once it is gone they go to the one before, or to none.
    """

    id: str = "billing_schedule"
    meters: tuple[str, ...] = ()
    cuts: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if len(self.cuts) > CUTS_MAX:
            raise ValueError(f"a schedule has at most {CUTS_MAX} cuts")
        if any(first >= second for first, second in zip((EARLIEST - 1, *self.cuts), (*self.cuts, LATEST), strict=True)):
            raise ValueError("the cuts of a schedule ascend, between the years 2000 and 2100")

    def terms(self, meters: Iterable[Meter]) -> dict[str, tuple[Any, ...]]:
        """What a policy with these meters says of it: nothing, unless one that adds up is priced."""
        billed = tuple(one.name for one in meters if one.name in self.meters and one.aggregation in SUMS)
        return {"billed": billed, "cuts": self.cuts if billed else ()}


NO_SCHEDULE = Schedule(version=0)


def segment(cuts: Sequence[int], at: int) -> tuple[int, int]:
    """The start and end, epoch ms, of the segment that a time lies in.

    >>> cuts = (EARLIEST + 10, EARLIEST + 20)
    >>> [tuple(edge - EARLIEST for edge in segment(cuts, EARLIEST + at)) for at in (10, 19)]
    [(10, 20), (10, 20)]
    >>> segment(cuts, EARLIEST) == (NOWHERE, EARLIEST + 10), segment(cuts, EARLIEST + 20)[1] == LATEST
    (True, True)
    """
    place = bisect_right(cuts, at)
    return cuts[place - 1] if place else NOWHERE, cuts[place] if place < len(cuts) else LATEST


def put_schedule(tx: Commit, before: Schedule, meters: Sequence[str], cuts: Sequence[int]) -> Schedule:
    """Part of a commit that writes the policy too; expects that the schedule is still the one that was found.

    It follows from the subscriptions, whose changes the trail shows; so it has no trail of its own.
    """
    after = Schedule(version=before.version + 1, meters=tuple(meters), cuts=tuple(cuts))
    key = keys.billing_schedule(tx.owner)
    tx.expect(key, "version", str(before.version) if before.version else None)
    tx.put(key, documents.to_fields(after))
    return after
