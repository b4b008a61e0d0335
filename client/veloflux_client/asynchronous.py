"""The client for asyncio."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

import httpx2

from veloflux_client.async_sender import AsyncEvents
from veloflux_client.attempts import Attempts
from veloflux_client.errors import NotAllowed, Unavailable, VeloFluxError
from veloflux_client.ids import new_id
from veloflux_client.limited import Given, Question, in_task
from veloflux_client.model import Decision, OnFailure, Rejected
from veloflux_client.protocol import Answer, Request, asking, failure, read_decision, read_done
from veloflux_client.reservation import Lease, log_unreleased, reserving
from veloflux_client.synchronous import no_answer

P = ParamSpec("P")
T = TypeVar("T")


class AsyncVeloFlux:
    """As `VeloFlux`, for one event loop; `aclose` it, or use it in `async with`, so that its events are delivered."""

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        source: str = "api",
        capacity: int = 10_000,
        on_rejected: Callable[[Rejected], None] | None = None,
    ) -> None:
        self._api_key, self._source = api_key, source
        self._http = httpx2.AsyncClient(base_url=url)
        self.events = AsyncEvents(self._send, api_key, source, capacity, on_rejected)

    async def check(
        self,
        meter: str = "",
        cost: int = 1,
        *,
        id: str = "",  # noqa: A002 - the word of the API
        feature: str = "",
        route: str = "",
        address: str = "",
        dry_run: bool = False,
        tenant: str = "",
        api_key: str = "",
        on_failure: OnFailure = "closed",
        timeout_s: float = 1.0,
    ) -> Decision:
        """May it pass? If so, it is counted, once for its id; one is made if none is given.

        A refusal does not raise. If VeloFlux does not decide within `timeout_s`, `on_failure` does, and the answer's
        `failed` says so.

        :raises RequestRefused: the question is wrong: the key, the meter.
        """
        id_ = id or new_id()
        request = asking(
            "/api/check",
            api_key or self._api_key,
            meter=meter,
            cost=cost,
            id=id_,
            source=self._source,
            feature=feature,
            route=route,
            address=address,
            dry_run=dry_run,
            tenant=tenant,
        )
        try:
            return await self._asked(request, timeout_s, lambda answer: read_decision(answer, id_))
        except Unavailable as error:
            return failure(on_failure, id_, error)

    async def check_or_raise(self, meter: str = "", cost: int = 1, **more: Any) -> Decision:
        """As `check`.

        :raises NotAllowed: it may not pass.
        """
        decision = await self.check(meter, cost, **more)
        if not decision.allowed:
            raise NotAllowed(decision)
        return decision

    @asynccontextmanager
    async def reserve(
        self,
        meter: str,
        cost: int,
        *,
        lease_s: int = 60,
        id: str = "",  # noqa: A002 - the word of the API
        tenant: str = "",
        api_key: str = "",
        timeout_s: float = 1.0,
    ) -> "AsyncIterator[AsyncReservation]":
        """Hold `cost` units for work whose size is known only afterwards; `commit` says it.

        Who leaves without, or by an exception, releases them; after `lease_s` seconds they return by themselves.

        :raises NotAllowed: there are not so many.
        :raises Unavailable: VeloFlux does not answer.
        """
        id_ = id or new_id()
        request, read = reserving(
            api_key or self._api_key, id_, meter=meter, cost=cost, lease_s=lease_s, source=self._source, tenant=tenant
        )
        reservation = AsyncReservation(self._asked, await self._asked(request, timeout_s, read), timeout_s)
        try:
            yield reservation
        finally:
            if not reservation.settled:
                await reservation.release()

    def limited(
        self, meter: str = "", cost: Given[int] = 1, **more: Any
    ) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Awaitable[T]]]:
        """A decorator of coroutine functions: as that of `VeloFlux`."""
        return in_task(self, Question(meter=meter, cost=cost, **more))

    async def aclose(self) -> None:
        """Flush for up to 10 seconds, then end; what is left then is logged."""
        await self.events.aclose()
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _asked(self, request: Request, timeout_s: float, read: Callable[[Answer], T]) -> T:
        attempts = Attempts(timeout_s)
        while True:
            try:
                return read(await self._send(request, attempts.left_s()))
            except Unavailable as error:
                pause = attempts.pause_s(error.retry_after)
                if pause is None:
                    raise
                await asyncio.sleep(pause)

    async def _send(self, request: Request, timeout_s: float) -> Answer:
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self._http.post(
                    request.path, content=request.body, headers=request.headers, timeout=None
                )
        except (httpx2.RequestError, TimeoutError) as error:
            raise no_answer(error) from error
        return Answer(answer.status_code, answer.headers, answer.content)


class AsyncReservation:
    """Units that are held. `lease` says which, and until when; `settled` whether they were committed or released."""

    def __init__(self, asked: Callable[..., Awaitable[None]], lease: Lease, timeout_s: float) -> None:
        self.lease, self.settled = lease, False
        self._asked, self._timeout_s = asked, timeout_s

    async def commit(self, cost: int) -> None:
        """What it was in the end, less or more than reserved.

        :raises Unavailable: it is not known whether it was counted; if not, the lease returns what was reserved.
        """
        self.settled = True
        await self._asked(self.lease.committing(cost), self._timeout_s, read_done)

    async def release(self) -> None:
        """Give all of it back. If VeloFlux does not answer, the lease does it, and the log says so."""
        self.settled = True
        try:
            await self._asked(self.lease.releasing(), self._timeout_s, read_done)
        except VeloFluxError as error:
            log_unreleased(self.lease, error)
