"""May this pass? One round trip decides API key, rate limits and quota, and counts."""

import math
from typing import Any

from veloflux.context import Parts
from veloflux.errors import (
    CounterOutOfRange,
    IdReused,
    InputInvalid,
    NotAuthenticated,
    PermissionDenied,
    Unavailable,
    VeloFluxError,
)
from veloflux.kit.deadline import Deadline
from veloflux.limits import store
from veloflux.limits.frame import Frame, blank, frame
from veloflux.limits.model import COST_MAX, Decision, Question
from veloflux.metering.grow import grow_later, make_room
from veloflux.metering.known import Known, known, not_active
from veloflux.metering.measure import shown
from veloflux.metering.model import TEXT_MAX
from veloflux.tenants import REFUSED, may_call_from

TRIES = 8


async def check(parts: Parts, tenant: str, asked: Question) -> Decision:
    """Decide and count. Fails closed: an error is no permission.

    :raises NotAuthenticated, PermissionDenied: the API key. :raises NotFound: no such tenant.
    :raises MeterUnknown, InputInvalid, IdReused: the question.
    :raises Unavailable: Redis did not answer in time (a setting, 80 ms); ask again with the same id: it counts once.
    """
    _validate(asked)
    state, deadline_ms = known(tenant), parts.settings.check_timeout_ms
    try:
        with Deadline(deadline_ms / 1000):
            for _ in range(TRIES):
                taken = frame(state, tenant, asked.meter) if state.version else blank(tenant)
                knew = state.seen.text
                answer = await store.run_check(parts, tenant, state, taken, asked)
                if answer[0] == "STALE":
                    state.learn_policy(*answer[1:])
                elif answer[0] == "ROLL":
                    state.learn_now(*answer[1:])
                elif answer[0] == "ADDRESS" and asked.key and may_call_from(answer[1], asked.address):
                    state.learn_addresses(asked.key[0], answer[1])
                elif answer[0] == "GROW":
                    await make_room(parts.db, tenant, state, knew)
                else:
                    if answer[0] == "OK" and answer[2]:
                        grow_later(parts.db, tenant, state)
                    return _decision(state, taken, asked, answer)
    except TimeoutError:
        raise Unavailable(
            f"The limits did not answer within {deadline_ms} ms; ask again with the same id, and it counts once"
        ) from None
    raise Unavailable("The tenant's policy or clock changes faster than it can be read; ask again")


def _validate(asked: Question) -> None:
    if not 1 <= asked.cost <= COST_MAX:
        raise InputInvalid(f"cost must be a whole number from 1 to {COST_MAX}")
    if len(asked.id) > TEXT_MAX or not 0 < len(asked.source) <= TEXT_MAX:
        raise InputInvalid(f"id and source have at most {TEXT_MAX} characters")


def _decision(state: Known, taken: Frame, asked: Question, answer: list[Any]) -> Decision:
    match answer:
        case ["OK", total, _]:
            return _figures(taken, int(total) + asked.cost * taken.scale)
        case ["SEEN", total]:
            return _figures(taken, int(total))
        case ["RATE", total, index, wait_us]:
            name = f"rate:{taken.rates_for(asked).limits[index - 1].name}"
            return _figures(taken, int(total), name, max(math.ceil(wait_us / 1_000_000), 1))
        case ["QUOTA", total]:
            wait_s = math.ceil((taken.month_end - state.now()) / 1000)
            return _figures(taken, int(total), f"quota:{taken.meter.name}", max(wait_s, 1))
    raise _refusal(asked, answer)


def _figures(taken: Frame, used: int, refused_by: str = "", retry_after: int = 0) -> Decision:
    places = taken.meter.places
    return Decision(
        allowed=not refused_by,
        limit=None if taken.quota is None else shown(taken.quota, places),
        used=shown(used, places),
        remaining=None if taken.quota is None else shown(max(taken.quota - used, 0), places),
        reset_at=taken.month_end,
        refused_by=refused_by,
        retry_after=retry_after,
    )


def _refusal(asked: Question, answer: list[Any]) -> VeloFluxError:
    match answer:
        case ["TENANT", status] if status is not None or asked.key is None:
            return not_active(status)
        case ["TENANT", *_] | ["KEY"] | ["ADDRESS", _]:
            return NotAuthenticated(REFUSED)
        case ["ROLE"]:
            return PermissionDenied("This API key may not check limits; make one with the role member")
        case ["CONFLICT"]:
            return IdReused(
                "This id was checked before with another meter or cost; each request needs an id of its own"
            )
        case _:
            return CounterOutOfRange("This month's usage would pass 10^18; nothing was counted")
