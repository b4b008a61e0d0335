"""Events on their way from any thread to VeloFlux, by one thread of their own."""

import atexit
import os
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from veloflux_client.buffer import Batch, Buffer, encoded, log_lost, report
from veloflux_client.errors import BufferFull, NotDelivered, Unavailable, VeloFluxError
from veloflux_client.ids import new_id
from veloflux_client.model import Rejected
from veloflux_client.protocol import Answer, Request, Route

SEND_S, CLOSE_S, FULL_S = 10.0, 10.0, 1.0
Send = Callable[[Request, float], Answer]


class Events:
    """Records usage. `record` only puts it into a buffer; a thread sends it, by 500 events or once a second.

    An event is delivered when VeloFlux has said so; until then it is sent again, with the id that it got when it was
    recorded, so that it counts once. An event that VeloFlux refuses for good is reported.
    """

    def __init__(
        self, send: Send, api_key: str, source: str, capacity: int, on_rejected: Callable[[Rejected], None] | None
    ) -> None:
        self._send, self._on_rejected, self._capacity = send, on_rejected, capacity
        self._api_key, self._source = api_key, source
        self._begin()
        atexit.register(self.close)
        after_fork(self._begin)

    def record(
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
        id_ = id or new_id()
        event = encoded(type, id_, source or self._source, time, data)
        route = Route(api_key or self._api_key, tenant)
        with self._changed:
            if self._closing:
                raise VeloFluxError("The client is closed")
            if not self._changed.wait_for(lambda: self._buffer.add(route, event, now()), wait_s):
                raise BufferFull(f"{self._buffer.pending} events wait to be delivered; this one was not taken")
            self._run()
            self._changed.notify_all()
        return id_

    @property
    def pending(self) -> int:
        """How many events are not delivered yet."""
        return self._buffer.pending

    def flush(self, timeout_s: float = CLOSE_S) -> None:
        """Send what is there, and wait until it is delivered and what was rejected is reported.

        :raises NotDelivered: the time was over before.
        """
        with self._changed:
            self._hurrying += 1
            self._changed.notify_all()
            delivered = self._changed.wait_for(lambda: not (self._buffer.pending or self._busy), timeout_s)
            self._hurrying -= 1
        if not delivered:
            raise NotDelivered(self.pending)

    def close(self, timeout_s: float = CLOSE_S) -> None:
        """Flush, as the interpreter's end does, and end the thread; what is not delivered then is lost, and logged."""
        atexit.unregister(self.close)
        try:
            self.flush(timeout_s)
        except NotDelivered as error:
            log_lost(error)
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def _begin(self) -> None:
        """Also after a fork: what the parent has recorded, the parent delivers."""
        self._changed = threading.Condition()
        self._buffer = Buffer(self._capacity)
        self._thread: threading.Thread | None = None
        self._hurrying, self._busy, self._closing = 0, False, False

    def _run(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._deliver_all, name="veloflux-events", daemon=True)
            self._thread.start()

    def _deliver_all(self) -> None:
        while (batch := self._next()) is not None:
            outcome = self._outcome(batch)
            with self._changed:
                rejected = self._buffer.settle(batch, outcome, now())
            report(rejected, self._on_rejected)

    def _next(self) -> Batch | None:
        """Wait for the next batch; None when there will be none."""
        with self._changed:
            self._busy = False
            self._changed.notify_all()
            while not self._closing:
                batch = self._buffer.take(now(), self._hurrying > 0)
                if batch is not None:
                    self._busy = True
                    return batch
                due_at = self._buffer.due_at(self._hurrying > 0)
                self._changed.wait(None if due_at is None else max(due_at - now(), 0))
        return None

    def _outcome(self, batch: Batch) -> Answer | Unavailable:
        try:
            return self._send(batch.request, SEND_S)
        except Unavailable as error:
            return error
        except Exception as error:  # whatever it was, the thread must go on
            return Unavailable(repr(error))


def after_fork(begin: Callable[[], None]) -> None:
    """Let a method begin anew in a child process, as long as its object lives."""
    if hasattr(os, "register_at_fork"):
        known = weakref.WeakMethod(begin)
        os.register_at_fork(after_in_child=lambda: (method := known()) and method())


def now() -> float:
    """Seconds of the clock that all times of the buffer are of."""
    return time.monotonic()
