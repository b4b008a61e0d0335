"""The living reservations of a tenant: what is held, by which id, until when.

They are read from the leases that the scripts keep, so there is nothing that could tell something else than what a
check finds; one whose lease is over is held no more, though a script may not have come by yet.
"""

import asyncio
import re

import msgspec

from veloflux.context import Context
from veloflux.db import keys, ranking
from veloflux.db.client import Db
from veloflux.errors import CursorInvalid, NotFound
from veloflux.kit import clock, page
from veloflux.kit.page import Page
from veloflux.limits.learn import patient
from veloflux.limits.model import Amount, Settled
from veloflux.limits.reserve import commit, release
from veloflux.metering.measure import shown
from veloflux.plans import Meter, pick_meter, read_policy

PLACE = re.compile(r"(\d{1,15}) (rsv_[0-9a-z]{26}\.[a-z][a-z0-9_]{0,59})")

_Lease = tuple[int, str, int]
"""Until when it is held, its whole id, and what it holds in the places of its meter."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A reservation that is neither settled nor over: it holds `cost` units until `until`, epoch ms."""

    id: str
    meter: str
    unit: str
    cost: Amount
    until: int


async def list_reservations(ctx: Context, meter: str = "", cursor: str = "", limit: int = page.LIMIT) -> Page[Held]:
    """What is held now, of one meter or of all, what ends first at the head; at most `limit` and the cursor of more.

    :raises NotFound: no such tenant. :raises MeterUnknown: no such meter. :raises CursorInvalid: not one of ours.
    """
    after = max((clock.now_ms(), "~"), _place(cursor) if cursor else (0, ""))
    limit = min(max(limit, 1), page.LIMIT_MAX)
    policy = await read_policy(ctx.db, ctx.tenant)
    if policy is None:
        raise NotFound("There is no such tenant")
    meters = {one.name: one for one in ([pick_meter(policy.meters, meter)] if meter else policy.meters)}
    each = await asyncio.gather(*(_leases(ctx.db, ctx.tenant, one, after, limit) for one in meters.values()))
    found = sorted(lease for leases in each for lease in leases)
    items = [_held(meters, lease) for lease in found[:limit]]
    return Page(items, page.encode(f"{items[-1].until} {items[-1].id}") if len(found) > limit else None)


async def commit_by_hand(ctx: Context, id_: str, cost: float) -> Settled:
    """Count what was used of a reservation whose program cannot say so any more; as `commit`, but with patience."""
    return await commit(patient(ctx.parts), ctx.tenant, id_, cost)


async def release_by_hand(ctx: Context, id_: str) -> Settled:
    """Give back what a reservation holds; as `release`, but with patience."""
    return await release(patient(ctx.parts), ctx.tenant, id_)


async def _leases(db: Db, tenant: str, meter: Meter, after: tuple[int, str], limit: int) -> list[_Lease]:
    """The leases of a meter that end after a place, one more than `limit` of them if there are."""
    found = []
    for member, until in await ranking.soonest(db, keys.leases(tenant, meter.key), after[0], limit + 1):
        own, _, amount = member.partition("|")
        id_ = f"{own}.{meter.name}"
        if (until, id_) > after:
            found.append((until, id_, int(amount)))
    return found[: limit + 1]


def _held(meters: dict[str, Meter], lease: _Lease) -> Held:
    until, id_, amount = lease
    meter = meters[id_.partition(".")[2]]
    return Held(id=id_, meter=meter.name, unit=meter.unit, cost=shown(amount, meter.places), until=until)


def _place(cursor: str) -> tuple[int, str]:
    found = PLACE.fullmatch(page.decode(cursor))
    if found is None:
        raise CursorInvalid("This cursor is not one that an earlier page gave")
    return int(found[1]), found[2]
