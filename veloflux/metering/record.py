"""Count events, each once, in batches of one script call each."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from veloflux.context import Parts
from veloflux.errors import CounterOutOfRange, IdReused, Unavailable
from veloflux.kit.turn import Turn
from veloflux.metering import store
from veloflux.metering.counters import Counters
from veloflux.metering.distinct import distinguisher
from veloflux.metering.grow import grow_later, make_room
from veloflux.metering.known import known, not_active
from veloflux.metering.measure import Measure
from veloflux.metering.model import Event, Outcome, Rejection, Result
from veloflux.metering.open_periods import open_periods
from veloflux.metering.program import EVENTS_MAX, Batch, Ruler, Window, compose, cut
from veloflux.metering.quota_shares import Terms
from veloflux.metering.seen import Seen, marker

TRIES = 8
FEW = 50
"""So many events of one caller, and fewer, wait for those of others in the same turn of the event loop."""


async def record(
    parts: Parts, tenant: str, events: Sequence[Event], *, backfill: bool = False, actor: str = "anonymous"
) -> Result:
    """Count each event that was not counted before; a backfill may be older than the plan accepts.

    What it uses of quotas counts as a check would count it, but nothing is refused: credits pay what is beyond a limit,
    as far as they reach; the rest is overage. `actor` is who made it reach a threshold.

    Safe to repeat after any failure: what was counted is recognised.

    :raises NotFound: no such tenant. :raises CounterOutOfRange: a counter would pass 10^18.
    :raises Unavailable: Redis is away; some of the events may have been counted.
    """
    return (await record_each(parts, tenant, events, backfill=backfill, actor=actor)).result


async def record_each(
    parts: Parts, tenant: str, events: Sequence[Event], *, backfill: bool = False, actor: str = "anonymous"
) -> Outcome:
    """As `record`; tells which events came before. Few events share the calls of those that come at once."""
    each = functools.partial(_record, parts, tenant, backfill, actor)
    if len(events) > FEW:
        return await each(events)
    turns, kind = known(tenant).turns, (id(parts), backfill, actor)
    turn = turns.get(kind) or Turn(turns, kind, functools.partial(_together, each), EVENTS_MAX)
    found: Outcome = await turn.add(events, len(events))
    return found


async def _together(each: Callable[[Sequence[Event]], Awaitable[Outcome]], lots: list[Sequence[Event]]) -> list[Any]:
    """The outcome of each lot, or its error. Where all together take a counter too far, each is tried by itself; what
    was counted by then is said to have come before."""
    if len(lots) == 1:
        return [await each(lots[0])]
    try:
        whole = await each([event for lot in lots for event in lot])
    except CounterOutOfRange:
        return await asyncio.gather(*(each(lot) for lot in lots), return_exceptions=True)
    outcomes, start = [], 0
    for lot in lots:
        outcomes.append(whole.part(start, start + len(lot)))
        start += len(lot)
    return outcomes


async def _record(parts: Parts, tenant: str, backfill: bool, actor: str, events: Sequence[Event]) -> Outcome:
    recording = _Recording(parts, tenant, events, backfill, actor)
    while recording.at < len(events):
        await recording.step()
    result = Result(recording.recorded, len(recording.repeated), tuple(sorted(recording.rejected)))
    return Outcome(result, frozenset(recording.repeated))


class _Recording:
    """The state of one call of `record`: how far it is, and what it counted."""

    def __init__(self, parts: Parts, tenant: str, events: Sequence[Event], backfill: bool, actor: str) -> None:
        self.at = self.recorded = 0
        self.rejected: list[Rejection] = []
        self.repeated: list[int] = []
        self._parts = parts
        self._tenant = tenant
        self._events = events
        self._backfill = backfill
        self._actor = actor
        self._known = known(tenant)
        self._marker = marker(parts.secrets.of("seen"), tenant)
        self._window = Window()
        self._batch: Batch | None = None
        self._tries = 0

    async def step(self) -> None:
        """Record the next batch, or learn why this call could not. One whose events are all rejected is sent too: the
        policy may know them by now."""
        batch = self._batch = self._batch or self._next_batch()
        knew = self._known.seen
        answer = await self._call(batch)
        if answer[0] == "OK":
            self._take(batch, answer)
        else:
            await self._learn(batch, answer, knew)
        self._tries += 1
        if self._tries > TRIES:
            raise Unavailable("The tenant's policy or clock changes faster than it can be read; try again")

    def _take(self, batch: Batch, answer: list[Any]) -> None:
        """The batch is counted."""
        _, recorded, duplicates, conflicts, full, raised = answer
        self.recorded += recorded
        measured = batch.measured
        self.repeated += [measured[position - 1].index for position in duplicates]
        self.rejected += [_reused(measured[position - 1].index) for position in conflicts]
        self._advance(batch)
        if raised:
            self._parts.wake(self._tenant)
        if full:
            grow_later(self._parts.db, self._tenant, self._known, full)

    async def _learn(self, batch: Batch, answer: list[Any], knew: Seen) -> None:
        """Nothing is counted yet: the script knows better."""
        match answer:
            case ["GROW"]:
                await make_room(self._parts.db, self._tenant, self._known, knew)
                self._tries = 0
            case ["STALE", text, version]:
                self._known.learn_policy(text, version)
                self._batch = None
            case ["ROLL", real, seen]:
                self._known.learn_now(real, seen)
                if seen != knew.text:
                    self._tries = 0  # somebody made buckets, which comes to an end
                else:
                    accepted = None if self._backfill else self._known.policy.accepted_ms
                    self._window = Window.at(self._known.now(), accepted)
                    self._batch = None
            case ["CLOSED", through]:
                self._known.closed_through = int(through)
                self._batch = None
            case ["OPEN", *stands]:
                await self._open(batch, stands)
            case ["TENANT", status]:
                raise not_active(status)
            case _:
                raise CounterOutOfRange(
                    "These amounts would take a counter beyond 10^18; none of this batch was counted"
                )

    async def _open(self, batch: Batch, stands: list[str]) -> None:
        for opening, open_ in zip(batch.counters.quotas.openings, stands, strict=True):
            if open_ != opening.words[1]:
                await open_periods(self._parts.db, opening, open_, self._known.now())

    def _next_batch(self) -> Batch:
        state, tenant = self._known, self._tenant
        now, distinct = state.now(), distinguisher(self._parts.secrets.of("distinct"), tenant)
        policy, quotas = state.policy, state.quotas(now)
        money = policy.billed, policy.cuts
        counters = Counters(
            Terms(tenant, policy.zone, now, state.closed_through, quotas, *money, self._actor), distinct
        )
        if not state.version:
            return Batch([], [], self.at, counters)  # asks for the policy
        measure = Measure(policy.meters)
        return cut(self._events, self.at, Ruler(measure, self._marker, self._window, now), counters)

    async def _call(self, batch: Batch) -> list[Any]:
        state, accepted = self._known, "" if self._backfill else self._known.policy.accepted_ms
        seen, fresh = state.seen_now(len(self._events) - self.at)
        program = compose(self._tenant, batch, seen)
        times = [one.at for one in batch.measured] or [state.now()]
        head = [state.version, state.seen.text, fresh, state.policy.seen_ms, min(times), max(times), accepted]
        head += [batch.counters.quotas.since, batch.counters.quotas.until]
        return await store.run_record(self._parts.db, program.keys, [*head, program.text, program.marks])

    def _advance(self, batch: Batch) -> None:
        self.rejected += batch.rejected
        self.at = batch.end
        self._batch = None
        self._tries = 0


def _reused(index: int) -> Rejection:
    return Rejection(index, IdReused.code, "This id came before with other content; nothing was counted for it again")
