"""The worker's loop: learn what is due, claim it, handle it, and stop without leaving anything half done.

    a commit publishes its owner ──┐
    the poll of all due sets ──────┴─> look ──> claim ──> deliver (an owner's events) or run_job ──> leave the due set

Nobody relies on the publishing: what it loses, the poll finds. Of all workers one at a time polls.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from itertools import islice

import msgspec
import structlog

from veloflux.context import WORKER, Context, Parts
from veloflux.db import due, keys, workers
from veloflux.db.due import Lease
from veloflux.errors import Unavailable
from veloflux.kit import clock, ids
from veloflux.worker import schedule
from veloflux.worker.acting import acting_for
from veloflux.worker.deliver import deliver
from veloflux.worker.retries import UNIT_MS
from veloflux.worker.run_job import run_job
from veloflux.worker.tables import Tables

OWNERS_A_MESSAGE = 500
CANCEL_AGAIN_S = 0.5
log = structlog.get_logger(slice="worker")


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How fast a worker's clocks tick; times in ms, or in s where named so."""

    lease_ms: int = 10_000
    poll_ms: int = 2_000
    poll_lease_ms: int = 5_000
    beat_s: float = 5
    schedule_s: float = 1
    retry_ms: int = UNIT_MS
    away_ms: int = 1_000
    stop_s: float = 10


class Worker:
    """`run` it once. It handles `worker_concurrency` owners and jobs at a time."""

    def __init__(self, parts: Parts, tables: Tables, pace: Pace | None = None) -> None:
        self.id = ids.new("wrk")
        self._ctx = Context(parts=parts, actor=WORKER)
        self._db = parts.db
        self._tables = tables
        self._pace = pace or Pace()
        self._free = parts.settings.worker_concurrency
        self._look: dict[str, str] = {}
        self._news = asyncio.Event()
        self._held: dict[Lease, asyncio.Task[None]] = {}
        self._stop = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then finish what is under way."""
        log.info("worker_started", worker=self.id)
        renewing = asyncio.create_task(self._forever(self._renew, self._pace.lease_ms / 3000))
        loops = [
            asyncio.create_task(self._forever(self._listen, self._pace.away_ms / 1000)),
            asyncio.create_task(self._forever(self._poll, self._pace.poll_ms / 1000)),
            asyncio.create_task(self._forever(self._beat, self._pace.beat_s)),
            asyncio.create_task(self._forever(self._fire_schedules, self._pace.schedule_s)),
        ]
        claiming = asyncio.create_task(self._claim_until_stop())
        try:
            await stop.wait()
        finally:
            self._stop.set()
            self._news.set()
            await _cancel(loops)
            await claiming  # to its end: a claim cut off would hold what nobody handles
            await self._finish_work()
            await _cancel([renewing])
            await self._say_goodbye()
        log.info("worker_stopped", worker=self.id)

    def look(self, owners: list[str]) -> None:
        """See what is due among these owners and their neighbours in the slot."""
        self._look.update({keys.due(owner): owner for owner in owners})
        self._news.set()

    async def _forever(self, step: Callable[[], Awaitable[None]], pause_s: float) -> None:
        while True:
            await self._step(step)
            await asyncio.sleep(pause_s)

    async def _step(self, step: Callable[[], Awaitable[None]]) -> None:
        try:
            await step()
        except Unavailable as error:
            log.warning("redis_away", step=step.__name__, error=str(error))
            await asyncio.sleep(self._pace.away_ms / 1000)
        except Exception:
            log.exception("worker_step_failed", step=step.__name__)
            await asyncio.sleep(self._pace.away_ms / 1000)

    async def _listen(self) -> None:
        async with self._db.subscription(keys.WAKE_CHANNEL) as messages:
            async for message in messages.listen():
                if message["type"] == "message":
                    sender, _, owners = message["data"].rpartition(":")
                    if sender != self.id:  # what it shares it looks at itself
                        self.look(owners.split())

    async def _poll(self) -> None:
        if not await due.hold(self._db, keys.poll_lease(), self.id, self._pace.poll_lease_ms):
            return
        now = clock.now_ms()
        later: dict[int, list[str]] = {}
        for member, at in await due.first_members(self._db):
            if at <= now + self._pace.poll_ms:
                later.setdefault(max(at - now, 0) // 10, []).append(member.partition("/")[0])
        for hundredths, owners in later.items():
            asyncio.get_running_loop().call_later(hundredths / 100 + 0.01 * bool(hundredths), self.look, owners)
        await self._share(later.get(0, []))

    async def _share(self, owners: list[str]) -> None:
        """Let the other workers claim their part."""
        for at in range(0, len(owners), OWNERS_A_MESSAGE):
            some = " ".join(owners[at : at + OWNERS_A_MESSAGE])
            await self._db.publish(keys.WAKE_CHANNEL, f"{self.id}:{some}")

    async def _beat(self) -> None:
        await workers.beat(self._db, self.id)

    async def _fire_schedules(self) -> None:
        await schedule.fire_due(self._ctx, self._tables.schedule, clock.now_ms())

    async def _renew(self) -> None:
        held = list(self._held)
        await asyncio.gather(*(lease.extend(self._db, self._pace.lease_ms) for lease in held))

    async def _claim_until_stop(self) -> None:
        while not self._stop.is_set():
            if self._look and self._free:
                await self._step(self._claim)
            else:
                self._news.clear()
                await self._news.wait()

    async def _claim(self) -> None:
        """Claim in as many due sets at once as can be worked on: claims one after the other would each wait for an
        answer, and the rest of the worker for them."""
        owners = [self._look.pop(name) for name in [*islice(self._look, self._free)]]
        each = self._free // len(owners)
        claims = await asyncio.gather(*(self._claim_in(owner, each) for owner in owners), return_exceptions=True)
        for failed in filter(None, claims):
            raise failed

    async def _claim_in(self, owner: str, count: int) -> None:
        self._free -= count
        try:
            leases, more = await due.claim(self._db, owner, self._pace.lease_ms, count)
        finally:
            self._free += count
        for lease in leases:
            self._free -= 1
            self._held[lease] = asyncio.create_task(self._work(lease))
        if more:
            self.look([owner])

    async def _work(self, lease: Lease) -> None:
        try:
            ctx = await acting_for(self._ctx, lease.owner)
            if lease.job:
                await run_job(ctx, self._tables, lease, self._pace.retry_ms)
            else:
                await deliver(ctx, self._tables, lease, self._stop.is_set, self._pace.retry_ms)
        except Unavailable as error:
            log.warning("redis_away", member=lease.member, error=str(error))
            await self._give_back(lease, self._pace.away_ms)
        except Exception:
            log.exception("work_failed", member=lease.member)
            await self._give_back(lease, self._pace.retry_ms)
        except asyncio.CancelledError:
            await self._give_back(lease, 0)
            raise
        finally:
            del self._held[lease]
            self._free += 1
            self._news.set()

    async def _give_back(self, lease: Lease, ms: int) -> None:
        try:
            await lease.give_back(self._db, ms)
        except Unavailable:
            return  # it ends by itself

    async def _finish_work(self) -> None:
        tasks = list(self._held.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self._pace.stop_s)
            if late:
                log.warning("work_cancelled", members=[lease.member for lease in self._held])
            await _cancel(late)

    async def _say_goodbye(self) -> None:
        try:
            await due.hold(self._db, keys.poll_lease(), self.id, 0)
            await workers.leave(self._db, self.id)
        except Unavailable as error:
            log.warning("redis_away", error=str(error))


async def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel until all have ended: redis-py swallows a cancellation that meets it while it subscribes."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)
