"""kill -9 of workers, again and again, and some frozen until their leases are over: no event is lost, none takes effect
twice, and none out of order."""

import asyncio
import os
import random
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.worker import mortal
from tests.worker.working import noted, nothing_due, ring, until
from veloflux.context import Context
from veloflux.db import keys

EVENTS, KILLS, WORKERS = 10_000, 100, 3
SLICE = EVENTS // KILLS
FREEZE_EVERY, FROZEN_S = 5, 2 * mortal.PACE.lease_ms / 1000


class Fleet:
    """Worker processes, of which one after another is killed and replaced."""

    def __init__(self, ctx: Context, nurse: asyncio.subprocess.Process) -> None:
        self._ctx = ctx
        self._nurse = nurse
        self._pids: list[int] = []
        self._frozen: set[int] = set()
        self.kills = 0

    async def start_one(self) -> None:
        assert self._nurse.stdin
        assert self._nurse.stdout
        self._nurse.stdin.write(b"one more\n")
        self._pids.append(int(await self._nurse.stdout.readline()))

    async def kill_one_at_work(self) -> bool:
        """The oldest that has begun to handle events, if there is one; now and then another one freezes."""
        awake = [pid for pid in self._pids if pid not in self._frozen]
        at_work = [pid for pid in awake if await self._ctx.db.call("HEXISTS", keys.meta(), f"worker {pid}")]
        for pid in at_work[:1]:
            os.kill(pid, signal.SIGKILL)
            self._pids.remove(pid)
            self.kills += 1
            await self.start_one()
        for pid in at_work[1:2]:
            if self.kills % FREEZE_EVERY == 0 and not self._frozen:
                self._freeze(pid)
        return bool(at_work)

    def _freeze(self, pid: int) -> None:
        """For longer than a lease: awake again it finds that others have done its work."""
        os.kill(pid, signal.SIGSTOP)
        self._frozen.add(pid)
        asyncio.get_running_loop().call_later(FROZEN_S, self._thaw, pid)

    def _thaw(self, pid: int) -> None:
        self._frozen.remove(pid)
        with suppress(ProcessLookupError):  # the test was faster
            os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def fleet(ctx: Context) -> AsyncIterator[Fleet]:
    command = (sys.executable, "-m", "tests.worker.mortal", ctx.db.url)
    nurse = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, cwd=Path(__file__).parents[2])
    try:
        fleet = Fleet(ctx, nurse)
        for _ in range(WORKERS):
            await fleet.start_one()
        yield fleet
    finally:
        nurse.kill()  # and the kernel its workers
        await nurse.wait()


async def test_10_000_events_of_200_owners_survive_100_kills_once_each_and_in_order(ctx: Context) -> None:
    rung = dict.fromkeys(mortal.OWNERS, 0)
    async with fleet(ctx) as workers:
        while workers.kills < KILLS:
            if await workers.kill_one_at_work() or await nothing_due(ctx):
                await _ring_slice(ctx, rung)
        await until(lambda: nothing_due(ctx))

    assert sum(rung.values()) >= EVENTS
    assert workers.kills >= KILLS
    for owner, last in rung.items():
        assert await noted(ctx, owner) == list(range(1, last + 1)), f"missing, twice or out of order at {owner}"
        assert await _counted(ctx, mortal.neighbour(owner), "heard") == last
        assert await _counted(ctx, owner, "jobs") == last // mortal.JOB_EVERY
        assert await ctx.db.call("EXISTS", keys.jobs(owner)) == 0


async def _ring_slice(ctx: Context, rung: dict[str, int]) -> None:
    """Events of random owners; an owner that comes twice rings in turn."""
    numbers: dict[str, list[int]] = {}
    for owner in random.choices(mortal.OWNERS, k=SLICE):
        rung[owner] += 1
        numbers.setdefault(owner, []).append(rung[owner])
    await asyncio.gather(*(ring(ctx, owner, *some) for owner, some in numbers.items()))


async def _counted(ctx: Context, owner: str, field: str) -> int:
    return int(await ctx.db.call("HGET", keys.limits(owner), field) or 0)
