"""For work whose size is known only afterwards: reserve, then commit what was used, or release.

What is reserved counts for every quota until it is settled or its lease is over; then it returns by itself. The id of a
reservation names its meter, so that each step is one round trip.
"""

import re

from veloflux.context import Parts
from veloflux.errors import Conflict, InputInvalid, NotFound
from veloflux.kit import ids
from veloflux.kit.deadline import Deadline
from veloflux.limits import store
from veloflux.limits.answer import committed, decision
from veloflux.limits.check import TRIES, late, learn, unsettled, validate
from veloflux.limits.frame import blank, frame
from veloflux.limits.model import COST_MAX, LEASE_MAX_S, Question, Reservation, Settled
from veloflux.limits.store import Asking
from veloflux.metering.grow import grow_later
from veloflux.metering.known import known
from veloflux.metering.measure import shown

LEASE_S = 60
ID = re.compile(r"(rsv_[0-9a-z]{26})\.([a-z][a-z0-9_]{0,59})")


async def reserve(parts: Parts, tenant: str, asked: Question, lease_s: int = LEASE_S) -> Reservation:
    """Decide as `check` does, and hold `cost` units for so long instead of counting them. The same id reserves once.

    It fails closed whatever the tenant's setting says: a reservation that nothing holds is none.

    :raises IdReused: the id came before as something else, or its reservation is over. Else as `check`.
    """
    validate(asked)
    if not asked.meter or asked.feature or asked.dry_run:
        raise InputInvalid("A reservation is of a meter; ask about features, and without effect, by a check")
    if not 1 <= lease_s <= LEASE_MAX_S:
        raise InputInvalid(f"lease_s is a whole number of seconds from 1 to {LEASE_MAX_S}", field="lease_s")
    own = ids.derived("rsv", tenant, asked.source, asked.id) if asked.id else ids.new("rsv")
    state, deadline_ms = known(tenant), parts.settings.check_timeout_ms
    try:
        with Deadline(deadline_ms / 1000):
            tries = 0
            while tries < TRIES:
                taken = frame(state, tenant, asked.meter) if state.version else blank(tenant)
                asking, knew = Asking(tenant, state, taken, asked), state.seen.text
                answer = await store.run_check(parts, store.call_of(parts, asking, (own, lease_s * 1000)))
                if answer[0] == "DECIDED":
                    if answer[10]:
                        grow_later(parts.db, tenant, state)
                    return Reservation(
                        id=f"{own}.{asked.meter}",
                        meter=asked.meter,
                        cost=asked.cost,
                        until=int(answer[9]),
                        decision=decision(asking, answer, holds=True),
                    )
                tries += not await learn(parts, asking, answer, knew)
    except TimeoutError:
        raise late(deadline_ms) from None
    raise unsettled()


async def commit(parts: Parts, tenant: str, id_: str, cost: float, asker: Question | None = None) -> Settled:
    """Count what was really used, though it is more than was reserved or the lease is over. Safe to repeat.

    :raises NotFound: no such reservation (it is forgotten a day after its lease).
    :raises Conflict: it was released, or committed with another cost.
    """
    if not 0 <= cost <= COST_MAX:
        raise InputInvalid(f"cost is a number from 0 to {COST_MAX}", field="cost")
    return await _settle(parts, tenant, id_, cost, asker or Question())


async def release(parts: Parts, tenant: str, id_: str, asker: Question | None = None) -> Settled:
    """Give back what was reserved. Safe to repeat.

    :raises NotFound: as `commit`. :raises Conflict: it was committed.
    """
    return await _settle(parts, tenant, id_, None, asker or Question())


async def _settle(parts: Parts, tenant: str, id_: str, cost: float | None, asker: Question) -> Settled:
    named = ID.fullmatch(id_)
    if named is None:
        raise _no_reservation()
    own, meter = named.groups()
    state, deadline_ms = known(tenant), parts.settings.check_timeout_ms
    status = "released" if cost is None else "committed"
    try:
        with Deadline(deadline_ms / 1000):
            for _ in range(TRIES):
                if state.version and all(meter != one.name for one in state.policy.meters):
                    raise _no_reservation()
                taken = frame(state, tenant, meter) if state.version else blank(tenant)
                amount = taken.amount(cost or 0) if state.version else 0
                asking = Asking(tenant, state, taken, asker)
                answer = await store.run_settle(parts, store.settle_of(asking, own, status, amount))
                match answer:
                    case ["DONE", over, _, _, _, raised, *_]:
                        if raised:
                            parts.wake(tenant)
                        figures = None if cost is None else committed(asking, answer, amount)
                        return Settled(
                            id=id_, meter=meter, status=status, cost=cost or 0, late=bool(over), decision=figures
                        )
                    case ["SETTLED", before, spent]:
                        if before != status or int(spent) != amount:
                            cost_then = shown(int(spent), taken.meter.places)
                            raise Conflict(f"This reservation was {before} before, with a cost of {cost_then}")
                        return Settled(id=id_, meter=meter, status=status, cost=cost or 0)
                    case ["MISSING"]:
                        raise _no_reservation()
                    case _:
                        await learn(parts, asking, answer)
    except TimeoutError:
        raise late(deadline_ms) from None
    raise unsettled()


def _no_reservation() -> NotFound:
    return NotFound("There is no such reservation; one is forgotten a day after its lease")
