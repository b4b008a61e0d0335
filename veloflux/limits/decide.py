"""Questions are decided by the check script, and those that come at once by one call of it.

What waits in one turn of the event loop and shares tenant, API key, meter and limits goes together; the script decides
one after the other. So a busy tenant costs Redis one call for many requests, and an idle one waits for nobody.
"""

import asyncio
import functools
from collections.abc import Sequence
from typing import Any

from veloflux.context import Parts
from veloflux.errors import IdReused
from veloflux.kit.deadline import Deadline
from veloflux.kit.turn import Turn
from veloflux.limits import store
from veloflux.limits.answer import passed
from veloflux.limits.frame import Rates, frame
from veloflux.limits.learn import learn, out_of_range, unsettled
from veloflux.limits.model import Decision, Question
from veloflux.limits.outcome import Outcome, outcomes
from veloflux.limits.store import Asking, Lease, Part
from veloflux.metering.grow import grow_later, make_room
from veloflux.metering.known import known
from veloflux.metering.seen import Seen

TRIES = 16
"""A change of the policy takes two: it is read, and its periods are opened."""
AT_ONCE_MAX = 32
"""More would let Redis and this process wait for each other in turn, instead of working at the same time."""


Told = Outcome | Decision
"""What a question is told, as a decision already where it passed with all others of its call."""
Said = Told | str | bool | list[Any]
"""That, or why there is none; True: ask again, and this comes to an end by itself."""


async def decide(parts: Parts, tenant: str, asked: Question, lease: Lease | None = None) -> tuple[Asking, Told]:
    """Ask until it is decided; with a lease reserve. What has no meter, or is about a feature that the plan lacks,
    counts nothing.

    :raises TimeoutError: Redis is late (a setting, 80 ms). :raises VeloFluxError: as `check`, for what cannot be
        decided or may not be asked.
    """
    state, loop = known(tenant), asyncio.get_running_loop()
    until = loop.time() + parts.settings.check_timeout_ms / 1000
    asking = Asking(tenant, state, frame(state, tenant, asked.meter), asked)
    knew, said = state.seen, await _join(parts, asking, lease)
    if isinstance(said, Told):
        return asking, said
    tries = 0
    with Deadline(until - loop.time()):
        while tries < TRIES:
            tries += not await _take(parts, asking, said, knew)
            asking = Asking(tenant, state, frame(state, tenant, asked.meter), asked)
            knew, said = state.seen, await _join(parts, asking, lease)
            if isinstance(said, Told):
                return asking, said
    raise unsettled()


async def _take(parts: Parts, asking: Asking, said: Said, knew: Seen) -> bool:
    """Make it possible to ask again. True: this comes to an end by itself.

    :raises IdReused, CounterOutOfRange, NotAuthenticated: there is nothing more to ask.
    """
    match said:
        case "GROW":
            await make_room(parts.db, asking.tenant, asking.state, knew)
            return True
        case "CONFLICT":
            raise IdReused(
                "This id came before with another meter or cost, or to reserve; each request needs an id of its own"
            )
        case "OVER":
            raise IdReused("This id was reserved before, and the reservation is over; take another id")
        case "RANGE":
            raise out_of_range()
        case list():
            return await learn(parts, asking, said, knew)
        case _:
            return bool(said)


def _join(parts: Parts, asking: Asking, lease: Lease | None) -> "asyncio.Future[Said]":
    """The answer to one question, from the call that its like of this turn share."""
    _, state, taken, asked = asking
    key = asked.key[0] if asked.key else ""
    rates = taken.rates_for(asked, state.rates_of(key))
    addresses = state.addresses_for(key, asked.used_from)
    question = store.part_of(asking, lease)
    kind = id(rates), asked.key, addresses, id(parts)
    turn = state.turns.get(kind)
    if turn is None:
        turn = Turn(state.turns, kind, functools.partial(_ask, parts, asking, rates, addresses), AT_ONCE_MAX)
    return turn.add(question)


async def _ask(parts: Parts, asking: Asking, rates: Rates, addresses: str, questions: list[Part]) -> Sequence[Said]:
    """What each of several questions is told that share all but their parts with `asking`."""
    knew = asking.state.seen
    with Deadline(parts.settings.check_timeout_ms / 1000):
        answer = await store.run_check(parts, store.check_of(parts, asking, rates, addresses, questions))
        match answer[0]:
            case "PASSED":
                _note(parts, asking, answer)
                return passed(asking, rates, questions, answer)
            case "DECIDED":
                _note(parts, asking, answer)
                return outcomes(rates, questions, answer)
            case "ADDRESS":  # may hold for one of them, and not for another
                return [answer] * len(questions)
            case _:
                return [await learn(parts, asking, answer, knew)] * len(questions)


def _note(parts: Parts, asking: Asking, answer: list[Any]) -> None:
    """What a decided call means beyond its questions."""
    _, raised, full, _ = answer
    if full:
        grow_later(parts.db, asking.tenant, asking.state, full)
    if raised:
        parts.wake(asking.tenant)
    if asking.asked.key:
        asking.state.trust(*asking.asked.key)
