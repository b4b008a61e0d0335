"""Checks and batches of events without HTTP: what one process gets out of its Redis."""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Iterator
from statistics import median

from bench.load import ROUNDS
from bench.report import Row
from bench.stage import Stage, stage
from veloflux.kit import ids
from veloflux.limits import Question, check
from veloflux.metering import Event, record

CHECKS, CLIENTS = 30_000, 64
BATCHES, BATCH, SENDERS = 200, 500, 8


async def measure() -> list[Row]:
    async with stage() as target:
        gc.freeze()
        checks = [await _checks(target) for _ in range(ROUNDS)]
        events = [await _events(target) for _ in range(ROUNDS)]
    return [
        Row(
            what="check in process, 64 concurrent, three rate limits and a quota, appendfsync always",
            script="in_process.py",
            figure=median(checks),
            unit="checks/s",
            bar=18_000,
        ),
        Row(
            what="events in process in batches of 500, each id once, appendfsync always",
            script="in_process.py",
            figure=median(events),
            unit="events/s",
        ),
    ]


async def _checks(target: Stage) -> float:
    run = ids.new("run")

    async def one(number: int) -> None:
        question = Question(meter="requests", id=f"{run}-{number}", key=target.key)
        assert (await check(target.ctx.parts, target.ctx.tenant, question)).allowed

    return CHECKS / await _seconds(one, iter(range(CHECKS)), CLIENTS)


async def _events(target: Stage) -> float:
    run = ids.new("run")

    async def one(number: int) -> None:
        events = [Event("http.request", f"{run}-{number}-{n}", data={"bytes": n}) for n in range(BATCH)]
        assert (await record(target.ctx.parts, target.ctx.tenant, events)).accepted == BATCH

    return BATCHES * BATCH / await _seconds(one, iter(range(BATCHES)), SENDERS)


async def _seconds(one: Callable[[int], Awaitable[None]], numbers: Iterator[int], at_once: int) -> float:
    async def some() -> None:
        for number in numbers:
            await one(number)

    began = time.perf_counter()
    await asyncio.gather(*(some() for _ in range(at_once)))
    return time.perf_counter() - began
