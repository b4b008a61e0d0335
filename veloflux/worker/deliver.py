"""Events to handlers: one owner's events in order, each handler's effects and the new cursor in one commit.

A handler gets the transaction that moves the cursor and adds its effects in the owner's slot, jobs and further events
among them: they happen once. An effect in another slot is a commit of its own, guarded by `once`. A handler that failed
three times becomes a job, so that its owner goes on; an ordered one stops its owner until it succeeds.
"""

from collections.abc import Callable
from itertools import pairwise

import msgspec
import structlog

from veloflux.context import Context
from veloflux.db import commit, keys, streams
from veloflux.db.due import Lease
from veloflux.db.jobs import Job
from veloflux.errors import ChangedMeanwhile, NotFound
from veloflux.events import Recorded
from veloflux.kit import clock, ids
from veloflux.transaction import Transaction
from veloflux.worker.finish import REDIS_AWAY, LeaseLost, finish, short
from veloflux.worker.retries import delay_ms
from veloflux.worker.tables import Handler, JobFunction, Tables, named

HANDLE_EVENT = "handle_event"
ATTEMPTS = 3
COLLISIONS = 5
BATCH = 100
log = structlog.get_logger(slice="worker")


class HandlersFailed(Exception):
    """These handlers, or the commit of their effects, failed because of `__cause__`."""

    def __init__(self, handlers: list[Handler]) -> None:
        super().__init__()
        self.handlers = handlers


async def deliver(ctx: Context, tables: Tables, lease: Lease, stopping: Callable[[], bool], unit_ms: int) -> None:
    """Handle an owner's events until none is left, one fails, or the worker stops.

    `unit_ms` is the pause after a first failure.

    :raises NotSent, Unknown, RedisFull: Redis is away; what is not committed comes again.
    """
    owner = _Owner(ctx, tables, lease.owner)
    try:
        while not stopping():
            is_end = await owner.handle_batch(stopping)
            if is_end and await lease.leave(ctx.db) != "MORE":
                return
        await lease.give_back(ctx.db, 0)
    except LeaseLost:
        log.info("lease_lost", owner=lease.owner)
    except HandlersFailed as failed:
        await lease.give_back(ctx.db, delay_ms(await owner.count_failure(failed), unit_ms))


def as_job(tables: Tables) -> JobFunction:
    """The job that a handler becomes."""

    async def handle_event(ctx: Context, job: Job, tx: Transaction) -> None:
        events = await streams.after(ctx.db, job.owner, _just_before(job.payload["event"]), 1)
        if not events or events[0].id != job.payload["event"]:
            raise NotFound(f"The event {job.payload['event']} of {job.owner} is not in its stream any more")
        handler = tables.handler_named(events[0].name, job.payload["handler"])
        if handler is None:
            raise NotFound(f"{events[0].name} has no handler {job.payload['handler']} any more")
        await handler(ctx, events[0], tx)

    return handle_event


class _Owner:
    """One owner's outbox while this worker has its lease."""

    def __init__(self, ctx: Context, tables: Tables, owner: str) -> None:
        self._ctx = ctx
        self._tables = tables
        self._owner = owner
        self._outbox: dict[str, str] = {}
        self._event: Recorded | None = None

    async def handle_batch(self, stopping: Callable[[], bool]) -> bool:
        """Handle the next events; True when they seem to be the last ones."""
        pairs = await self._ctx.db.call("HGETALL", keys.outbox(self._owner))
        self._outbox = dict(zip(pairs[::2], pairs[1::2], strict=True))
        events = await streams.after(self._ctx.db, self._owner, self._cursor, BATCH)
        handled = [at for at, event in enumerate(events) if self._tables.handlers(event.name)]
        for at, following in pairwise([*handled, len(events)]):
            if stopping():
                return False
            await self._handle(events[at], events[following - 1].id)
        if events and not handled:
            await self._move_cursor(Transaction(self._ctx, self._owner), events[-1].id)
        return len(events) < BATCH

    async def count_failure(self, failed: HandlersFailed) -> int:
        """Remember that the next event failed, and stop its owner if that was an ordered handler's third time."""
        assert self._event, "an event failed"
        name, failures = self._event.name, int(self._outbox.get("failures", 0)) + 1
        about = {"owner": self._owner, "event_id": self._event.id, "event_name": name, "failures": failures}
        log.warning("handler_failed", **about, error=short(failed.__cause__))  # type: ignore[arg-type]
        change = commit.Commit(self._owner)
        change.expect(keys.outbox(self._owner), "cursor", self._cursor or None)
        change.put(keys.outbox(self._owner), {"failures": str(failures)})
        if failures >= ATTEMPTS:
            stopped_by = ", ".join(named(handler) for handler in failed.handlers)
            log.error("owner_stopped", **about, handler=stopped_by)
            change.put(keys.outbox(self._owner), {"stopped": stopped_by})
            await self._ctx.db.call("ZADD", keys.owners_stopped(), "NX", clock.now_ms(), self._owner)
        await commit.run(self._ctx.db, change)
        return failures

    @property
    def _cursor(self) -> str:
        return self._outbox.get("cursor", "")

    async def _handle(self, event: Recorded, until: str) -> None:
        """Handle an event; nobody is told of those that follow it `until` the cursor's new place."""
        self._event = event
        is_last_attempt = int(self._outbox.get("failures", 0)) + 1 >= ATTEMPTS
        given_up: list[Handler] = []
        while True:
            try:
                await self._try(event, until, given_up)
                return
            except HandlersFailed as failed:
                loose = [h for h in failed.handlers if not self._tables.is_ordered(event.name, h)]
                if not is_last_attempt or len(loose) < len(failed.handlers):
                    raise
                given_up += loose

    async def _try(self, event: Recorded, until: str, given_up: list[Handler]) -> None:
        """Run the handlers and commit; once more when what a handler read was changed meanwhile."""
        handlers = [h for h in self._tables.handlers(event.name) if h not in given_up]
        ctx = msgspec.structs.replace(self._ctx, request=event.request)  # what it causes is found by the same id
        for collisions in range(COLLISIONS):
            tx = Transaction(ctx, self._owner)
            for handler in handlers:
                await _run(ctx, handler, event, tx)
            for handler in given_up:
                _become_job(tx, event, handler)
            try:
                await self._move_cursor(tx, until)
                return
            except REDIS_AWAY:
                raise
            except Exception as error:
                if not handlers:
                    raise
                if not isinstance(error, ChangedMeanwhile) or collisions == COLLISIONS - 1:
                    raise HandlersFailed(handlers) from error

    async def _move_cursor(self, tx: Transaction, event: str) -> None:
        """Commit the effects of an event with the cursor behind it, or behind a later one.

        :raises LeaseLost: the cursor is elsewhere: another worker handles this owner.
        """
        outbox = keys.outbox(self._owner)
        tx.expect(outbox, "cursor", self._cursor or None)
        tx.put(outbox, {"cursor": event})
        if marks := self._outbox.keys() & {"failures", "stopped"}:
            tx.drop(outbox, *marks)
        try:
            await finish(self._ctx, tx)
        except ChangedMeanwhile as error:
            if (error.extra["key"], error.extra["field"]) == (outbox, "cursor"):
                raise LeaseLost from None
            raise
        if "stopped" in marks:
            await self._ctx.db.call("ZREM", keys.owners_stopped(), self._owner)
        self._outbox = {"cursor": event}


async def _run(ctx: Context, handler: Handler, event: Recorded, tx: Transaction) -> None:
    try:
        await handler(ctx, event, tx)
    except REDIS_AWAY:
        raise
    except Exception as error:
        raise HandlersFailed([handler]) from error


def _become_job(tx: Transaction, event: Recorded, handler: Handler) -> None:
    payload = {"event": event.id, "handler": named(handler)}
    job = tx.enqueue(HANDLE_EVENT, payload, job=ids.derived("job", event.owner, event.id, named(handler)))
    log.warning("handler_became_job", owner=event.owner, event_id=event.id, event_name=event.name, job=job)


def _just_before(event: str) -> str:
    """The stream id before another.

    >>> _just_before("1700000000000-3"), _just_before("1700000000000-0")
    ('1700000000000-2', '1699999999999-18446744073709551615')
    """
    at, _, number = event.partition("-")
    return f"{at}-{int(number) - 1}" if int(number) else f"{int(at) - 1}-{2**64 - 1}"
