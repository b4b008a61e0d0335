"""Batches of measured events, and what the record script is told about one. Pure."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from veloflux.db import keys
from veloflux.errors import EventInFuture, EventRejected, EventTooOld
from veloflux.kit.clock import MINUTE_MS
from veloflux.metering import seen
from veloflux.metering.counters import Counters
from veloflux.metering.measure import Measure
from veloflux.metering.model import Event, Rejection, rejection
from veloflux.metering.seen import Mark, Marker

EVENTS_MAX = 500
AHEAD_MS = 5 * MINUTE_MS
# An event this close to being too old is refused with the others, or it might be so when it arrives.
MARGIN_MS = 1_000

seen_key = functools.lru_cache(maxsize=16_384)(keys.seen)
_content = msgspec.json.Encoder(order="deterministic").encode


class Measured(msgspec.Struct, gc=False):
    """An event as the script needs it: `added` are numbers of counters, each before what is added to it; `index` is its
    place among those that came."""

    at: int
    mark: Mark
    content: bytes
    added: list[int | str]
    index: int


class Batch(NamedTuple):
    """What one call takes, in the order of arrival; `end` is the first index after it."""

    measured: list[Measured]
    rejected: list[Rejection]
    end: int
    counters: Counters


class Window(NamedTuple):
    """Which times are accepted, epoch ms: at least `first`, at most `last`."""

    first: float = float("-inf")
    last: float = float("inf")

    @classmethod
    def at(cls, now: int, accepted_ms: int | None) -> "Window":
        """The window at a moment; without a length for a backfill, which may be as old as it likes."""
        first = float("-inf") if accepted_ms is None else now - accepted_ms + MARGIN_MS
        return cls(first, now + AHEAD_MS)

    def refusal(self, at: int) -> EventRejected:
        """Why a time outside is not accepted."""
        if at > self.last:
            return EventInFuture("time is more than 5 minutes ahead; correct the sender's clock")
        return EventTooOld("time is older than this plan accepts; import old events as a backfill")


class Ruler(NamedTuple):
    """What events are measured with; `now` in epoch ms is the time of those that come without one."""

    measure: Measure
    marker: Marker
    window: Window
    now: int


def cut(events: Sequence[Event], start: int, ruler: Ruler, counters: Counters) -> Batch:
    """The next batch: as many events as one call may take, and as the counters, which are new, have room for."""
    measure, marker, window, now = ruler
    measured: list[Measured] = []
    rejected: list[Rejection] = []
    first, last = window
    end = min(start + EVENTS_MAX, len(events))
    for index in range(start, end):
        event = events[index]
        try:
            readings = measure.readings(event)
            at = now if event.at is None else event.at
            if not first <= at <= last:
                raise window.refusal(at)
        except EventRejected as error:
            rejected.append(rejection(index, error))
            continue
        added = counters.add(event, at, readings)
        if added is None:
            return Batch(measured, rejected, index, counters)
        content = seen.of_event(_content((event.type, event.at, event.data)))
        measured.append(Measured(at, marker.mark(event.source, event.id), content, added, index))
    return Batch(measured, rejected, end, counters)


class Program(NamedTuple):
    """KEYS and the last two ARGV of the script; `order` has the measured events as the script counts them."""

    keys: list[str]
    text: bytes
    marks: bytes
    order: list[Measured]


class Generation(NamedTuple):
    """Where seen events stand: the number of the present generation, its buckets, those of the one before (0: none)."""

    number: int
    buckets: int
    before: int


def compose(tenant: str, batch: Batch, generation: Generation) -> Program:
    """Group events by bucket. Bucket numbers are powers of two, so the larger one groups for both."""
    number, buckets, before = generation
    groups = max(buckets, before)
    order = sorted(batch.measured, key=lambda one: one.mark[0] % groups)
    sizes: dict[int, int] = {}
    for one in order:
        group = one.mark[0] % groups
        sizes[group] = sizes.get(group, 0) + 1
    names = [keys.limits(tenant), keys.usage_days(tenant)]
    names += [seen_key(tenant, str(number), str(group % buckets)) for group in sizes]
    if before:
        names += [seen_key(tenant, str(number - 1), str(group % before)) for group in sizes]
    program = {
        "sizes": list(sizes.values()),
        "events": _flat(order),
        **batch.counters.program(base=len(names)),
    }
    names += batch.counters.keys
    marks = b"".join([one.mark[1] + one.content for one in order])
    return Program(names, msgspec.msgpack.encode(program), marks, order)


def _flat(order: Sequence[Measured]) -> list[int | str]:
    flat: list[int | str] = []
    for one in order:
        flat.append(len(one.added) // 2)
        flat += one.added
    return flat
