"""The decorator: check before each call, and record an event of the same id."""

import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar

from veloflux_client.buffer import log
from veloflux_client.errors import BufferFull
from veloflux_client.model import Decision

if TYPE_CHECKING:
    from veloflux_client.asynchronous import AsyncVeloFlux
    from veloflux_client.synchronous import VeloFlux

P = ParamSpec("P")
T = TypeVar("T")
V = TypeVar("V")
Given: TypeAlias = V | Callable[..., V]
"""A value, or what makes it of the arguments of the call."""


class Question:
    """What to ask before a call: the arguments of `check`, and of the event that is recorded beside it."""

    def __init__(self, *, event: str = "", data: Given[Mapping[str, Any]] | None = None, **asked: Any) -> None:
        self._event, self._data, self._asked = event, data, asked

    def asked(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The arguments of `check` for a call with these."""
        return {name: _given(value, args, kwargs) for name, value in self._asked.items()}

    def event(self, decision: Decision, asked: Mapping[str, Any], *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """The arguments of `record` for that call, None if no event is wanted."""
        if not self._event:
            return None
        return event(self._event, _given(self._data, args, kwargs), decision, asked)


def event(type_: str, data: Mapping[str, Any] | None, decision: Decision, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `record` for an event that counts only if the check did not: it has the check's id."""
    whose = {name: asked[name] for name in ("tenant", "api_key") if name in asked}
    # A call is not held up by its event.
    return {"type": type_, "data": data, "id": decision.id, "wait_s": 0, **whose}


def in_thread(client: "VeloFlux", question: Question) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """The decorator of `VeloFlux.limited`."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(function)
        def limited(*args: P.args, **kwargs: P.kwargs) -> T:
            asked = question.asked(*args, **kwargs)
            decision = client.check_or_raise(**asked)
            if recorded := question.event(decision, asked, *args, **kwargs):
                try:
                    client.events.record(**recorded)
                except BufferFull as error:
                    log_dropped(error)
            return function(*args, **kwargs)

        return limited

    return decorate


def in_task(
    client: "AsyncVeloFlux", question: Question
) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Awaitable[T]]]:
    """The decorator of `AsyncVeloFlux.limited`."""

    def decorate(function: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        @functools.wraps(function)
        async def limited(*args: P.args, **kwargs: P.kwargs) -> T:
            asked = question.asked(*args, **kwargs)
            decision = await client.check_or_raise(**asked)
            if recorded := question.event(decision, asked, *args, **kwargs):
                await record_or_log(client, recorded)
            return await function(*args, **kwargs)

        return limited

    return decorate


async def record_or_log(client: "AsyncVeloFlux", recorded: Mapping[str, Any]) -> None:
    """Record the event of a call that passes, whether there is room for it or not."""
    try:
        await client.events.record(**recorded)
    except BufferFull as error:
        log_dropped(error)


def log_dropped(error: BufferFull) -> None:
    """Say that the event of a call that passed is lost; unless VeloFlux was away, the check has counted it."""
    log.error("%s; its call passes", error)


def _given(value: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    return value(*args, **kwargs) if callable(value) else value
