"""Count events, each once, in batches of one script call each."""

from collections.abc import Sequence
from typing import Any

from veloflux.context import Parts
from veloflux.errors import CounterOutOfRange, IdReused, Unavailable
from veloflux.metering import store
from veloflux.metering.counters import Counters
from veloflux.metering.distinct import distinguisher
from veloflux.metering.known import known, not_active
from veloflux.metering.measure import Measure
from veloflux.metering.model import Event, Rejection, Result
from veloflux.metering.program import Batch, Generation, Program, Ruler, Window, compose, cut
from veloflux.metering.seen import GENERATION_MS, marker

TRIES = 8


async def record(parts: Parts, tenant: str, events: Sequence[Event], *, backfill: bool = False) -> Result:
    """Count each event that was not counted before; a backfill may be older than the plan accepts.

    Safe to repeat after any failure: what was counted is recognised.

    :raises NotFound: no such tenant. :raises CounterOutOfRange: a counter would pass 10^18.
    :raises Unavailable: Redis is away; some of the events may have been counted.
    """
    recording = _Recording(parts, tenant, events, backfill)
    while recording.at < len(events):
        await recording.step()
    return Result(recording.recorded, recording.duplicates, tuple(sorted(recording.rejected)))


class _Recording:
    """The state of one call of `record`: how far it is, and what it counted."""

    def __init__(self, parts: Parts, tenant: str, events: Sequence[Event], backfill: bool) -> None:
        self.at = self.recorded = self.duplicates = 0
        self.rejected: list[Rejection] = []
        self._parts = parts
        self._tenant = tenant
        self._events = events
        self._backfill = backfill
        self._known = known(tenant)
        self._marker = marker(parts.secrets.of("seen"), tenant)
        self._window = Window()
        self._tries = 0

    async def step(self) -> None:
        """Record the next batch, or learn why this call could not. One whose events are all rejected is sent too: the
        policy may know them by now."""
        batch = self._next_batch()
        program, answer = await self._call(batch)
        match answer:
            case ["OK", recorded, duplicates, conflicts]:
                self.recorded += recorded
                self.duplicates += duplicates
                self.rejected += [_reused(program.order[position - 1].index) for position in conflicts]
                self._advance(batch)
            case ["STALE", text, version]:
                self._known.learn_policy(text, version)
            case ["ROLL", real, buckets, before]:
                self._known.learn_now(real, buckets, before)
                accepted = None if self._backfill else self._known.policy.accepted_ms
                self._window = Window.at(self._known.now(), accepted)
            case ["CLOSED", through]:
                self._known.closed_through = int(through)
            case ["TENANT", status]:
                raise not_active(status)
            case _:
                raise CounterOutOfRange(
                    "These amounts would take a counter beyond 10^18; none of this batch was counted"
                )
        self._tries += 1
        if self._tries > TRIES:
            raise Unavailable("The tenant's policy or clock changes faster than it can be read; try again")

    def _next_batch(self) -> Batch:
        state, tenant = self._known, self._tenant
        now, distinct = state.now(), distinguisher(self._parts.secrets.of("distinct"), tenant)
        counters = Counters(tenant, state.policy.zone, now, state.closed_through, distinct)
        if not state.version:
            return Batch([], [], self.at, counters)  # asks for the policy
        measure = Measure(state.policy.meters)
        return cut(self._events, self.at, Ruler(measure, self._marker, self._window, now), counters)

    async def _call(self, batch: Batch) -> tuple[Program, list[Any]]:
        state, accepted = self._known, "" if self._backfill else self._known.policy.accepted_ms
        number = state.real_now() // GENERATION_MS
        generation = Generation(number, *state.buckets(number))
        program = compose(self._tenant, batch, generation)
        times = [one.at for one in batch.measured] or [state.now()]
        head = [state.version, *generation, min(times), max(times), accepted]
        return program, await store.run_record(self._parts.db, program.keys, [*head, program.text, program.marks])

    def _advance(self, batch: Batch) -> None:
        self.rejected += batch.rejected
        self.at = batch.end
        self._tries = 0


def _reused(index: int) -> Rejection:
    return Rejection(index, IdReused.code, "This id came before with other content; nothing was counted for it again")
