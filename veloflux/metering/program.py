"""Batches of measured events, and what the record script is told about one. Pure."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from veloflux.db import keys
from veloflux.errors import EventInFuture, EventInvalid, EventRejected, EventTooOld
from veloflux.kit.clock import MINUTE_MS
from veloflux.metering import seen
from veloflux.metering.counters import Counters
from veloflux.metering.measure import Measure
from veloflux.metering.model import Event, Rejection, rejection
from veloflux.metering.seen import Marker, Seen, places

EVENTS_MAX = 500
AHEAD_MS = 5 * MINUTE_MS
# An event this close to being too old is refused with the others, or it might be so when it arrives.
MARGIN_MS = 1_000

_encode = msgspec.json.Encoder(order="deterministic").encode


@functools.lru_cache(maxsize=16_384)
def _seen_prefix(tenant: str, generation: int) -> str:
    return keys.seen(tenant, str(generation), "0").removesuffix("0")


def seen_key(tenant: str, generation: int, bucket: int) -> str:
    """The key of a bucket; there are too many to check each as `keys.seen` does."""
    return f"{_seen_prefix(tenant, generation)}{bucket}"


class Measured(msgspec.Struct, gc=False):
    """An event as the script needs it: `amounts` go to the counters of its shape; `index` is its place among those that
    came."""

    at: int
    mark: bytes
    content: int
    shape: int
    amounts: Sequence[int | str]
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
            reading = measure.read(event)
            at = now if event.at is None else event.at
            if not first <= at <= last:
                raise window.refusal(at)
            content = seen.of_event(_encode((event.type, event.at, event.data)))
        except EventRejected as error:
            rejected.append(rejection(index, error))
            continue
        except RecursionError:
            rejected.append(rejection(index, EventInvalid("data is nested too deeply")))
            continue
        added = counters.add(event, at, reading)
        if added is None:
            return Batch(measured, rejected, index, counters)
        measured.append(Measured(at, marker.mark(event.source, event.id), content, *added, index))
    return Batch(measured, rejected, end, counters)


class Program(NamedTuple):
    """KEYS and the last two ARGV of the script."""

    keys: list[str]
    text: bytes
    marks: bytes


def compose(tenant: str, batch: Batch, state: Seen) -> Program:
    """Find the events' buckets, for a state of the seen events."""
    measured = batch.measured
    marks = b"".join([one.mark for one in measured])
    names = [keys.limits(tenant), keys.usage_days(tenant)]
    buckets = _buckets(tenant, state.number, places(marks, state.buckets), names)
    earlier = _buckets(tenant, state.number - 1, places(marks, state.before), names) if state.before else []
    program = {
        "buckets": buckets,
        "earlier": earlier,
        "contents": [one.content for one in measured],
        "shape_of": [one.shape for one in measured],
        "amounts": [amount for one in measured for amount in one.amounts],
        **batch.counters.program(base=len(names)),
    }
    names += batch.counters.keys
    return Program(names, msgspec.msgpack.encode(program), marks)


def _buckets(tenant: str, generation: int, at: list[int], names: list[str]) -> list[int]:
    """For each event the index of its bucket in KEYS, from 1; the buckets are appended to `names`."""
    prefix = _seen_prefix(tenant, generation)
    index = {bucket: number for number, bucket in enumerate(dict.fromkeys(at), len(names) + 1)}
    names += [f"{prefix}{bucket}" for bucket in index]
    return [index[bucket] for bucket in at]
