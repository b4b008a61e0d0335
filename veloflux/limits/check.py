"""May this pass? One round trip decides API key, features, rate limits and quotas, and counts.

Of a meter with groups a check counts the whole alone: it names no group, so what it counts stands in the meter's usage
and quotas, and in none of its groups.
"""

from typing import Any

from veloflux.context import Parts
from veloflux.errors import (
    CounterOutOfRange,
    FeatureMissing,
    IdReused,
    InputInvalid,
    NotAuthenticated,
    NotSent,
    PermissionDenied,
    RedisFull,
    Unavailable,
    Unknown,
    VeloFluxError,
)
from veloflux.kit.deadline import Deadline
from veloflux.limits import store
from veloflux.limits.answer import decision
from veloflux.limits.failure import fail_open
from veloflux.limits.frame import blank, frame
from veloflux.limits.model import COST_MAX, Decision, Question
from veloflux.limits.store import Asking
from veloflux.metering.grow import grow_later, make_room
from veloflux.metering.known import known, not_active
from veloflux.metering.model import TEXT_MAX
from veloflux.metering.open_periods import Opening, open_periods
from veloflux.tenants import REFUSED, may_call_from

TRIES = 8


async def check(parts: Parts, tenant: str, asked: Question) -> Decision:
    """Decide and count. An error is no permission; but when Redis is away or late (a setting, 80 ms), a tenant that
    fails open gets `failed_open` instead: it may pass, uncounted, if this process found its API key valid in the last
    5 minutes. So a key that was revoked, or a tenant that was suspended, less long ago passes where Redis is away.

    :raises NotAuthenticated, PermissionDenied: the API key. :raises NotFound: no such tenant.
    :raises FeatureMissing: the plan does not include the feature; nothing was counted.
    :raises MeterUnknown, InputInvalid, IdReused: the question.
    :raises Unavailable: Redis did not answer in time, and it fails closed; ask again with the same id: it counts once.
    """
    validate(asked)
    state, deadline_ms = known(tenant), parts.settings.check_timeout_ms
    try:
        with Deadline(deadline_ms / 1000):
            tries = 0
            while tries < TRIES:
                taken = frame(state, tenant, asked.meter) if state.version else blank(tenant)
                feature = taken.features.get(asked.feature) if asked.feature else None
                lacks = bool(asked.feature) and not feature
                dry = lacks or asked.dry_run or not asked.meter
                asking, knew = Asking(tenant, state, taken, asked), state.seen.text
                answer = await store.run_check(parts, store.call_of(parts, asking, dry=dry))
                if answer[0] != "DECIDED":
                    tries += not await learn(parts, asking, answer, knew)
                    continue
                if asked.key:
                    state.trust(*asked.key)
                if lacks:
                    raise FeatureMissing(f"The plan does not include the feature {asked.feature}")
                if answer[8]:
                    parts.wake(tenant)
                if answer[10]:
                    grow_later(parts.db, tenant, state)
                return decision(asking, answer, feature=feature, counts=not dry)
    except (TimeoutError, NotSent, RedisFull, Unknown) as error:
        if passed := fail_open(state, tenant, asked):
            return passed
        raise late(deadline_ms) if isinstance(error, TimeoutError) else error from None
    raise unsettled()


def validate(asked: Question) -> None:
    """:raises InputInvalid: a question that no tenant's policy could answer."""
    if not 0 < asked.cost <= COST_MAX:
        raise InputInvalid(f"cost must be above 0, and at most {COST_MAX}")
    if len(asked.id) > TEXT_MAX or not 0 < len(asked.source) <= TEXT_MAX:
        raise InputInvalid(f"id and source have at most {TEXT_MAX} characters")
    if not (asked.meter or asked.feature):
        raise InputInvalid("Ask about a meter, a feature, or both")


async def learn(parts: Parts, asking: Asking, answer: list[Any], knew: str = "") -> bool:
    """Take in what a script answered that knows better, so that it can be asked again.

    True: somebody has made buckets since it was asked with the seen state `knew`, which comes to an end by itself.

    :raises VeloFluxError: it is a refusal, for which there is no other time.
    """
    _, state, taken, asked = asking
    match answer:
        case ["STALE", text, version]:
            state.learn_policy(text, version)
        case ["ROLL", real]:
            state.learn_time(real)
        case ["ROLL", real, seen]:
            state.learn_now(real, seen)
            return bool(seen != knew)
        case ["GROW"]:
            await make_room(parts.db, asking.tenant, state, knew)
            return True
        case ["ADDRESS", text] if asked.key and may_call_from(text, asked.used_from):
            state.learn_addresses(asked.key[0], text)
        case ["OWN", text] if asked.key:
            state.learn_rates(asked.key[0], text)
        case ["OPEN", text]:
            opening = Opening(asking.tenant, taken.meter.key, taken.policy.zone, taken.quotas)
            await open_periods(parts.db, opening, text, state.now())
        case _:
            if asked.key and answer[0] in ("TENANT", "KEY", "ROLE"):
                state.distrust(*asked.key)
            raise _refusal(asked, answer)
    return False


def late(deadline_ms: int) -> Unavailable:
    """No answer came in time."""
    return Unavailable(
        f"The limits did not answer within {deadline_ms} ms; ask again with the same id, and it counts once"
    )


def unsettled() -> Unavailable:
    """Each answer was that something else had changed."""
    return Unavailable("The tenant's policy or clock changes faster than it can be read; ask again")


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
                "This id came before with another meter or cost, or to reserve; each request needs an id of its own"
            )
        case ["OVER"]:
            return IdReused("This id was reserved before, and the reservation is over; take another id")
        case _:
            return CounterOutOfRange("This month's usage would pass 10^18; nothing was counted")
