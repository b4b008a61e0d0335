"""What money reads of usage: the sums of segments, each from one cut of the tenant's schedule to the next.

The scripts add to them with whatever they count. What is closed is closed first and read afterwards: from the commit on
that closed it, a segment's own sum stays as it is, and what comes later is beside it.
"""

from collections.abc import Sequence

import msgspec

from veloflux.db import keys
from veloflux.db.client import Db
from veloflux.db.commit import Commit
from veloflux.metering import store
from veloflux.plans import Meter

LATE = ".late"


class Billed(msgspec.Struct, frozen=True, gc=False):
    """What a segment has of a meter, in units of 10^-`places`: `amount` until it was closed, `late` since then."""

    amount: int
    late: int
    places: int


Segments = dict[int, Billed]
"""By start, epoch ms, ascending."""


async def read_billed(db: Db, tenant: str, meters: Sequence[Meter]) -> dict[str, Segments]:
    """The segments of each meter by its name, in one round trip; its versions add up, in the places of the finest.

    What is closed by then is final. Name every version: a segment may have been counted by several.
    """
    hashes = await store.hashes(db, [keys.billed(tenant, meter.key) for meter in meters])
    versions: dict[str, list[tuple[Meter, dict[str, str]]]] = {}
    for meter, fields in zip(meters, hashes, strict=True):
        versions.setdefault(meter.name, []).append((meter, fields))
    return {name: added_up(found) for name, found in versions.items()}


def added_up(versions: Sequence[tuple[Meter, dict[str, str]]]) -> Segments:
    """The segments that the versions of a meter have together, by the fields of each.

    >>> coarse = Meter(name="gb", event_type="e", aggregation="sum", value_property="n", unit="GB")
    >>> fine = Meter(name="gb", event_type="e", aggregation="sum", value_property="n", unit="GB", places=2)
    >>> added_up([(coarse, {"7": "3", "7.late": "1"}), (fine, {"7": "25"})])
    {7: Billed(amount=325, late=100, places=2)}
    """
    places = max([meter.places for meter, _ in versions])
    found: dict[str, int] = {}
    for meter, fields in versions:
        scale = 10 ** (places - meter.places)
        for field, text in fields.items():
            found[field] = found.get(field, 0) + int(text) * scale
    starts = sorted({field.removesuffix(LATE) for field in found}, key=int)
    return {int(start): Billed(found.get(start, 0), found.get(start + LATE, 0), places) for start in starts}


async def close_through(db: Db, tx: Commit, tenant: str, at: int) -> None:
    """Part of the commit after which nothing more is added to the own sums of what was before `at`, epoch ms.

    It never opens again: where as much is closed already, this does nothing. The commit is refused when another one has
    closed something meanwhile.
    """
    closed = await store.closed_through(db, tenant)
    if closed is None or closed < at:
        tx.expect(keys.limits(tenant), "closed_through", None if closed is None else str(closed))
        tx.put(keys.limits(tenant), {"closed_through": str(at)})
