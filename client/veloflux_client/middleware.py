"""The middleware for ASGI: check each request before the application sees it, and record an event of the same id."""

import inspect
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from veloflux_client.asynchronous import AsyncVeloFlux
from veloflux_client.errors import RequestRefused
from veloflux_client.limited import event, record_or_log
from veloflux_client.model import Decision, OnFailure
from veloflux_client.problems import refusal, wrong_key
from veloflux_client.protocol import Answer

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What one request costs, and whom: the tenant by the `api_key` that came with it, or by name (`tenant`) if the
    client has a service key. The other members are those of `check`; `event` is the type of an event to record with
    `data`, under the same id: it counts only if the check did not, as when VeloFlux was away and `on_failure` is open.
    """

    meter: str = ""
    cost: int = 1
    tenant: str = ""
    api_key: str = ""
    id: str = ""
    feature: str = ""
    route: str = ""
    address: str = ""
    on_failure: OnFailure = "closed"
    timeout_s: float = 1.0
    event: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def asked(self) -> dict[str, Any]:
        """The arguments of `check`."""
        names = [name for name in self.__dataclass_fields__ if name not in {"event", "data"}]
        return {name: getattr(self, name) for name in names}


class LimitMiddleware:
    """`ask` says for each request (an ASGI scope) what to ask; None lets it pass unasked. It may be a coroutine.

    A request that may not pass is answered here: 429 with Retry-After and the RateLimit fields, 403 for a feature, 503
    where nothing could be decided and `on_failure` is closed, 401 for a wrong `api_key` of the request. An answer of
    the application gets the RateLimit fields. `scope["state"]["veloflux"]` is the decision. When the application has
    ended its lifespan, the client is closed, and so its events delivered.
    """

    def __init__(
        self, app: Application, client: AsyncVeloFlux, ask: Callable[[Scope], Ask | Awaitable[Ask | None] | None]
    ) -> None:
        self._app, self._client, self._ask = app, client, ask

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            send = _closing(send, self._client)
        ask = await self._asked(scope) if scope["type"] == "http" else None
        if ask is None:
            await self._app(scope, receive, send)
            return
        decision = await self._decision(ask)
        if isinstance(decision, Answer):
            await _answer(send, decision)
            return
        if ask.event:
            await record_or_log(self._client, event(ask.event, ask.data, decision, ask.asked))
        scope.setdefault("state", {})["veloflux"] = decision
        await self._app(scope, receive, _with_fields(send, decision))

    async def _asked(self, scope: Scope) -> Ask | None:
        ask = self._ask(scope)
        return await ask if inspect.isawaitable(ask) else ask

    async def _decision(self, ask: Ask) -> Decision | Answer:
        try:
            decision = await self._client.check(**ask.asked)
        except RequestRefused as error:
            if ask.api_key and error.status in {401, 403}:
                return wrong_key(error)
            raise
        return decision if decision.allowed else refusal(decision)


async def _answer(send: Send, answer: Answer) -> None:
    headers = [(name.encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def _with_fields(send: Send, decision: Decision) -> Send:
    fields = [(name.lower().encode(), value.encode("latin-1")) for name, value in decision.fields.items()]

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *fields]
        await send(message)

    return sending


def _closing(send: Send, client: AsyncVeloFlux) -> Send:
    async def sending(message: Message) -> None:
        if message["type"].startswith("lifespan.shutdown."):
            await client.aclose()
        await send(message)

    return sending
