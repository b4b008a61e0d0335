"""What a process takes in when a script of the limits answers that it knows better, and what it says when none does."""

from typing import Any

import msgspec

from veloflux.context import Parts
from veloflux.errors import CounterOutOfRange, NotAuthenticated, PermissionDenied, Unavailable, VeloFluxError
from veloflux.limits.model import Question
from veloflux.limits.store import Asking
from veloflux.metering.known import not_active
from veloflux.metering.open_periods import Opening, open_periods
from veloflux.metering.seen import Seen
from veloflux.tenants import REFUSED, may_call_from

PATIENCE_MS = 5_000
NOTHING = Seen()


async def learn(parts: Parts, asking: Asking, answer: list[Any], knew: Seen = NOTHING) -> bool:
    """Take in an answer, so that it can be asked again.

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
            return bool(seen != knew.text)
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


def patient(parts: Parts) -> Parts:
    """For a person, who waits longer for an answer than a request of the product may."""
    settings = msgspec.structs.replace(parts.settings, check_timeout_ms=PATIENCE_MS)
    return msgspec.structs.replace(parts, settings=settings)


def late(parts: Parts) -> Unavailable:
    """No answer came in time."""
    deadline_ms = parts.settings.check_timeout_ms
    return Unavailable(
        f"The limits did not answer within {deadline_ms} ms; ask again with the same id, and it counts once"
    )


def unsettled() -> Unavailable:
    """Each answer was that something else had changed."""
    return Unavailable("The tenant's policy or clock changes faster than it can be read; ask again")


def out_of_range() -> CounterOutOfRange:
    """A counter would take more than it can hold."""
    return CounterOutOfRange("This month's usage would pass 10^18; nothing was counted")


def _refusal(asked: Question, answer: list[Any]) -> VeloFluxError:
    match answer:
        case ["TENANT", status] if status is not None or asked.key is None:
            return not_active(status)
        case ["TENANT", *_] | ["KEY"] | ["ADDRESS", _]:
            return NotAuthenticated(REFUSED)
        case ["ROLE"]:
            return PermissionDenied("This API key may not check limits; make one with the role member")
        case _:
            return out_of_range()
