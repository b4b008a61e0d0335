"""The events that are not delivered yet. No I/O, no locks: the senders of `VeloFlux` and `AsyncVeloFlux` share it.

An event is in the buffer from `add` until the server has said what became of it, also while it is on its way. Events
of one route (key and tenant) are sent together and wait together, so that a route that is refused for a while does not
hold up the others.
"""

import json
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from veloflux_client.attempts import pause_s
from veloflux_client.errors import NotDelivered, RequestRefused, TooLarge, Unavailable
from veloflux_client.model import Rejected
from veloflux_client.protocol import Answer, Request, Route, read_rejections

BATCH, BATCH_BYTES, BATCH_S = 500, 1_000_000, 1.0
log = logging.getLogger("veloflux_client")


@dataclass(slots=True)
class Lane:
    """What waits for one route. `since` is when the oldest came, `ready_at` when it may be tried again."""

    route: Route
    since: float
    waiting: deque[bytes] = field(default_factory=deque)
    failures: int = 0
    ready_at: float = 0
    largest: int = BATCH

    def due_at(self, hurry: bool) -> float:
        """When it is to be sent: at once when a batch is full or somebody flushes."""
        full = hurry or len(self.waiting) >= self.largest
        return max(self.ready_at, self.since if full else self.since + BATCH_S)


@dataclass(frozen=True, slots=True)
class Batch:
    """Events on their way."""

    route: Route
    events: list[bytes]

    @property
    def request(self) -> Request:
        query = {"tenant": self.route.tenant} if self.route.tenant else {}
        return Request(f"/api/events?{urlencode(query)}", b"[" + b",".join(self.events) + b"]", self.route.api_key)


class Buffer:
    """Up to `capacity` events. Times are seconds of one monotonic clock."""

    def __init__(self, capacity: int) -> None:
        self.pending = 0
        self._capacity = capacity
        self._lanes: dict[Route, Lane] = {}

    def add(self, route: Route, event: bytes, now: float) -> bool:
        """Take an event, unless the buffer is full."""
        if self.pending >= self._capacity:
            return False
        lane = self._lanes.setdefault(route, Lane(route, now))
        lane.waiting.append(event)
        self.pending += 1
        return True

    def due_at(self, hurry: bool) -> float | None:
        """When the next batch is to be sent, None if nothing waits."""
        return min((lane.due_at(hurry) for lane in self._lanes.values() if lane.waiting), default=None)

    def take(self, now: float, hurry: bool) -> Batch | None:
        """The batch that is due; whoever takes it must `settle` it before the next."""
        due = [lane for lane in self._lanes.values() if lane.waiting and lane.due_at(hurry) <= now]
        if not due:
            return None
        lane = min(due, key=lambda each: each.due_at(hurry))
        events = [lane.waiting.popleft()]
        size = len(events[0])
        while lane.waiting and len(events) < lane.largest and size + len(lane.waiting[0]) < BATCH_BYTES:
            size += len(lane.waiting[0])
            events.append(lane.waiting.popleft())
        return Batch(lane.route, events)

    def settle(self, batch: Batch, outcome: Answer | Unavailable, now: float) -> list[Rejected]:
        """What is delivered leaves the buffer, what is not is tried again; gives what the server rejected."""
        try:
            if isinstance(outcome, Unavailable):
                raise outcome
            rejected = read_rejections(outcome, batch.events)
        except Unavailable as error:
            self._put_back(batch, now, error)
            return []
        except TooLarge as error:
            if len(batch.events) > 1:
                self._lanes[batch.route].largest = len(batch.events) // 2
                self._lanes[batch.route].waiting.extendleft(reversed(batch.events))
                return []
            rejected = all_rejected(batch, error)
        except RequestRefused as error:
            rejected = all_rejected(batch, error)
        self._leave(batch, now)
        return rejected

    def _put_back(self, batch: Batch, now: float, error: Unavailable) -> None:
        lane = self._lanes[batch.route]
        lane.failures += 1
        lane.ready_at = now + pause_s(lane.failures, error.retry_after)
        lane.waiting.extendleft(reversed(batch.events))
        log.warning("%d events wait, attempt %d failed: %s", len(lane.waiting), lane.failures, error)

    def _leave(self, batch: Batch, now: float) -> None:
        self.pending -= len(batch.events)
        lane = self._lanes[batch.route]
        lane.failures, lane.ready_at, lane.since = 0, 0, now
        if not lane.waiting:
            del self._lanes[batch.route]


def all_rejected(batch: Batch, error: RequestRefused) -> list[Rejected]:
    """A refusal of the request is one of each of its events."""
    return [
        Rejected(json.loads(event), index, error.code or str(error.status), error.detail)
        for index, event in enumerate(batch.events)
    ]


def encoded(type_: str, id_: str, source: str, time: datetime | None, data: Mapping[str, Any] | None) -> bytes:
    """A CloudEvent as it will be sent each time, JSON.

    :raises ValueError: the time has no zone, or the data is not JSON.
    """
    at = datetime.now(UTC) if time is None else time
    if at.tzinfo is None:
        raise ValueError("The time of an event needs a zone: datetime.now(UTC)")
    event = {"specversion": "1.0", "type": type_, "id": id_, "source": source, "time": at.isoformat()}
    return json.dumps(event | {"data": dict(data or {})}, allow_nan=False).encode()


def report(rejected: Sequence[Rejected], on_rejected: Callable[[Rejected], None] | None) -> None:
    """Tell of events that do not count; whoever is told cannot stop the delivery of the others."""
    for one in rejected:
        if on_rejected is None:
            log.error("Event %s is not counted: %s (%s)", one.event["id"], one.reason, one.code)
            continue
        try:
            on_rejected(one)
        except Exception:
            log.exception("on_rejected failed for event %s", one.event["id"])


def log_lost(error: NotDelivered) -> None:
    """Say at the end what was never delivered."""
    log.error("%s, and the client ends: they are lost", error)
