"""Events on their way from any task to VeloFlux, by one task of their own."""

import asyncio
import atexit
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from veloflux_client.buffer import Batch, Buffer, encoded, log_lost, report
from veloflux_client.errors import BufferFull, NotDelivered, Unavailable, VeloFluxError
from veloflux_client.ids import new_id
from veloflux_client.model import Rejected
from veloflux_client.protocol import Answer, Request, Route
from veloflux_client.sender import CLOSE_S, FULL_S, SEND_S, now

Send = Callable[[Request, float], Awaitable[Answer]]


class AsyncEvents:
    """As `Events`, on one event loop. Whoever ends the loop must `aclose` before; what is lost otherwise is logged."""

    def __init__(
        self, send: Send, api_key: str, source: str, capacity: int, on_rejected: Callable[[Rejected], None] | None
    ) -> None:
        self._send, self._on_rejected = send, on_rejected
        self._api_key, self._source = api_key, source
        self._buffer = Buffer(capacity)
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self._hurrying, self._closed = 0, False
        atexit.register(self._at_exit)

    async def record(
        self,
        type: str,  # noqa: A002 - the words of CloudEvents
        *,
        data: Mapping[str, Any] | None = None,
        id: str = "",  # noqa: A002
        time: datetime | None = None,
        source: str = "",
        tenant: str = "",
        api_key: str = "",
        wait_s: float = FULL_S,
    ) -> str:
        """Take an event; gives its id. When the buffer is full, it waits up to `wait_s` for room.

        :raises BufferFull: there was none; the event is not taken.
        :raises ValueError: its time has no zone, or its data is not JSON.
        """
        if self._closed:
            raise VeloFluxError("The client is closed")
        id_ = id or new_id()
        event = encoded(type, id_, source or self._source, time, data)
        route = Route(api_key or self._api_key, tenant)
        async with self._changed:
            if not await self._comes_true(lambda: self._buffer.add(route, event, now()), wait_s):
                raise BufferFull(f"{self._buffer.pending} events wait to be delivered; this one was not taken")
            self._task = self._task or asyncio.create_task(self._deliver_all(), name="veloflux-events")
            self._changed.notify_all()
        return id_

    @property
    def pending(self) -> int:
        """How many events are not delivered yet."""
        return self._buffer.pending

    async def flush(self, timeout_s: float = CLOSE_S) -> None:
        """Send what is there, and wait until it is delivered and what was rejected is reported.

        :raises NotDelivered: the time was over before.
        """
        self._hurrying += 1
        try:
            async with self._changed:
                self._changed.notify_all()
                if not await self._comes_true(lambda: not self._buffer.pending, timeout_s):
                    raise NotDelivered(self.pending)
        finally:
            self._hurrying -= 1

    async def aclose(self, timeout_s: float = CLOSE_S) -> None:
        """Flush and end the task; what is not delivered by then is lost, and logged."""
        self._closed = True
        atexit.unregister(self._at_exit)
        try:
            await self.flush(timeout_s)
        except NotDelivered as error:
            log_lost(error)
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def _at_exit(self) -> None:
        if self.pending:
            log_lost(NotDelivered(self.pending))

    async def _comes_true(self, condition: Callable[[], bool], within_s: float) -> bool:
        """Wait, holding the lock, for what others change."""
        if condition():
            return True
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._changed.wait_for(condition)
                return True
        return False

    async def _deliver_all(self) -> None:
        while True:
            batch = await self._next()
            outcome = await self._outcome(batch)
            rejected = self._buffer.settle(batch, outcome, now())
            report(rejected, self._on_rejected)

    async def _next(self) -> Batch:
        """Wait for the next batch."""
        async with self._changed:
            self._changed.notify_all()
            while True:
                batch = self._buffer.take(now(), self._hurrying > 0)
                if batch is not None:
                    return batch
                due_at = self._buffer.due_at(self._hurrying > 0)
                with suppress(TimeoutError):
                    async with asyncio.timeout(None if due_at is None else max(due_at - now(), 0)):
                        await self._changed.wait()

    async def _outcome(self, batch: Batch) -> Answer | Unavailable:
        try:
            return await self._send(batch.request, SEND_S)
        except Unavailable as error:
            return error
        except Exception as error:  # whatever it was, the task must go on
            return Unavailable(repr(error))
