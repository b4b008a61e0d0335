"""kill -9 of workers, again and again: no event is lost, none takes effect twice, and none out of order."""

import asyncio
import multiprocessing
import random
from collections.abc import AsyncIterator
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess

import pytest

from tests.worker import mortal
from tests.worker.working import noted, nothing_due, ring, until
from veloflux.context import Context
from veloflux.db import keys

EVENTS, KILLS, WORKERS = 10_000, 100, 3
SLICE = EVENTS // KILLS


class Fleet:
    """Worker processes, of which one after another is killed and replaced."""

    def __init__(self, url: str) -> None:
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.worker.mortal"])
        self._url = url
        self._processes = [self._start() for _ in range(WORKERS)]
        self.kills = 0

    def kill_one(self) -> None:
        at = random.randrange(WORKERS)
        assert self._processes[at].is_alive(), "a worker ended by itself"
        _kill(self._processes[at])
        self._processes[at] = self._start()
        self.kills += 1

    def end(self) -> None:
        for process in self._processes:
            _kill(process)

    def _start(self) -> BaseProcess:
        process = self._context.Process(target=mortal.live, args=(self._url,), daemon=True)
        process.start()
        return process


@pytest.fixture
async def fleet(ctx: Context) -> AsyncIterator[Fleet]:
    fleet = Fleet(ctx.db.url)
    yield fleet
    fleet.end()


async def test_10_000_events_of_200_owners_survive_100_kills_once_each_and_in_order(ctx: Context, fleet: Fleet) -> None:
    rung = dict.fromkeys(mortal.OWNERS, 0)
    for _ in range(KILLS):
        await _ring_slice(ctx, rung)
        await asyncio.sleep(random.uniform(0, 0.02))
        fleet.kill_one()
    await until(lambda: nothing_due(ctx))

    assert fleet.kills >= KILLS
    assert sum(rung.values()) == EVENTS
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


def _kill(process: BaseProcess) -> None:
    process.kill()
    process.join()
    process.close()
