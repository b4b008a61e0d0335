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
from veloflux.limits.check import validate
from veloflux.limits.decide import TRIES, decide
from veloflux.limits.frame import frame
from veloflux.limits.learn import late, learn, unsettled
from veloflux.limits.model import COST_MAX, LEASE_MAX_S, Question, Reservation, Settled
from veloflux.limits.outcome import Outcome
from veloflux.limits.store import Asking
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
    try:
        asking, outcome = await decide(parts, tenant, asked, (own, lease_s * 1000))
    except TimeoutError:
        raise late(parts) from None
    assert isinstance(outcome, Outcome), "what is reserved passes alone"
    return Reservation(
        id=f"{own}.{asked.meter}",
        meter=asked.meter,
        cost=asked.cost,
        until=outcome.until,
        decision=decision(asking, outcome),
    )


async def commit(parts: Parts, tenant: str, id_: str, cost: float, asker: Question | None = None) -> Settled:
    """Count what was really used, though it is more than was reserved or the lease is over. Safe to repeat.

    :raises NotFound: no such reservation (it is forgotten a day after its lease).
    :raises Conflict: it was released, or committed with another cost, or its meter has a new version.
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
    state = known(tenant)
    status = "released" if cost is None else "committed"
    try:
        with Deadline(parts.settings.check_timeout_ms / 1000):
            for _ in range(TRIES):
                if state.version and all(meter != one.name for one in state.policy.meters):
                    raise _no_reservation()
                taken = frame(state, tenant, meter)
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
                    case ["MISSING", of]:
                        raise _changed_meter() if (of or "").partition("__")[0] == meter else _no_reservation()
                    case _:
                        await learn(parts, asking, answer)
    except TimeoutError:
        raise late(parts) from None
    raise unsettled()


def _changed_meter() -> Conflict:
    return Conflict("The meter has another version since this was reserved; record what was used as an event")


def _no_reservation() -> NotFound:
    return NotFound("There is no such reservation; one is forgotten a day after its lease")
