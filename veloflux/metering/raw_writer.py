"""Keeps events as they came, beside counting: requests add to a buffer, and one call a tenant writes it some
milliseconds later. Nobody waits for it, and nobody relies on it.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterable, Iterator, Set
from weakref import WeakKeyDictionary

import msgspec

from veloflux.context import Parts
from veloflux.db.client import Db
from veloflux.errors import Unavailable, VeloFluxError
from veloflux.kit.clock import HOUR_MS
from veloflux.metering import store
from veloflux.metering.decode import Decoded
from veloflux.metering.model import Event, Rejection, Result
from veloflux.metering.raw_events import Raw

PAUSE_S = 0.05
OF_A_REQUEST = 20
OF_A_WRITE = 100
DATA_MAX = 1_000
TEXT_MAX = 200


class Writer:
    """The buffer of one process."""

    def __init__(self, db: Db, limit: int, life_ms: int) -> None:
        self._db = db
        self._limit = limit
        self._life_ms = life_ms
        self._waiting: dict[str, deque[Raw]] = {}
        self._task: asyncio.Task[None] | None = None

    def add(self, tenant: str, events: Iterable[Raw]) -> None:
        """Keep these soon; when more come than are written at a time, the last ones."""
        if not self._limit:
            return
        self._waiting.setdefault(tenant, deque(maxlen=OF_A_WRITE)).extend(events)
        if self._task is None:
            self._task = asyncio.ensure_future(self._write())

    async def _write(self) -> None:
        await asyncio.sleep(PAUSE_S)
        waiting, self._waiting, self._task = self._waiting, {}, None
        await asyncio.gather(*(self._keep(tenant, events) for tenant, events in waiting.items()))

    async def _keep(self, tenant: str, events: Iterable[Raw]) -> None:
        with contextlib.suppress(Unavailable):
            await store.run_keep(self._db, tenant, self._limit, self._life_ms, [*map(msgspec.json.encode, events)])


_writers: WeakKeyDictionary[Db, Writer] = WeakKeyDictionary()


def writer(parts: Parts) -> Writer:
    """The writer of a process."""
    found = _writers.get(parts.db)
    if found is None:
        settings = parts.settings
        found = Writer(parts.db, settings.raw_events, settings.raw_events_hours * HOUR_MS)
        _writers[parts.db] = found
    return found


def note(parts: Parts, tenant: str, decoded: Decoded, result: Result, repeated: Set[int]) -> None:
    """Keep some of a request's events: rejected ones first, then the last ones."""
    writer(parts).add(tenant, sample(decoded, result, repeated))


def note_unread(parts: Parts, tenant: str, body: bytes, error: VeloFluxError) -> None:
    """Keep the beginning of a body that was refused as a whole."""
    writer(parts).add(tenant, [_unread(body, error.code, str(error))])


def sample(decoded: Decoded, result: Result, repeated: Set[int]) -> list[Raw]:
    """What is kept of a request, in its order.

    >>> events = [Event("request", "a"), Event("request", "b")]
    >>> [(raw.id, raw.outcome) for raw in sample(Decoded(events, [0, 1], []), Result(1, 1), {1})]
    [('a', 'accepted'), ('b', 'duplicate')]
    """
    chosen = {one.index: _unread(decoded.faulty[one.index], one.code, one.reason) for one in _first(decoded.rejected)}
    refused = {one.index: one for one in result.rejected}
    for one in _first(result.rejected):
        chosen.setdefault(decoded.positions[one.index], _rejected(decoded.events[one.index], one))
    for index in range(len(decoded.events) - 1, -1, -1):
        if len(chosen) >= OF_A_REQUEST:
            break
        if index not in refused:
            outcome = "duplicate" if index in repeated else "accepted"
            chosen[decoded.positions[index]] = _raw(decoded.events[index], outcome=outcome)
    return [chosen[place] for place in sorted(chosen)]


def _first(rejected: Iterable[Rejection]) -> Iterator[Rejection]:
    return (one for one, _ in zip(rejected, range(OF_A_REQUEST // 2), strict=False))


def _rejected(event: Event, why: Rejection) -> Raw:
    return _raw(event, outcome="rejected", code=why.code, reason=why.reason)


def _raw(event: Event, **outcome: str) -> Raw:
    try:
        data = msgspec.json.encode(event.data).decode()
    except RecursionError:
        data = ""
    texts = [text[:TEXT_MAX] for text in (event.type, event.id, event.source)]
    return Raw(
        type=texts[0],
        id=texts[1],
        source=texts[2],
        time=event.at,
        data=data[:DATA_MAX],
        cut=len(data) > DATA_MAX,
        **outcome,  # type: ignore[arg-type]
    )


def _unread(body: bytes, code: str, reason: str) -> Raw:
    text = body[: 4 * DATA_MAX].decode(errors="replace")
    cut = len(text) > DATA_MAX or len(body) > 4 * DATA_MAX
    return Raw("rejected", data=text[:DATA_MAX], cut=cut, code=code, reason=reason[: 2 * TEXT_MAX])
