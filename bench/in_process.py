"""Checks and batches of events without HTTP: what one process gets out of its Redis.

On disk within a second, or before it is answered. The checks stand against what the server does at best.
"""

import gc
import itertools
from functools import partial
from statistics import median

from bench.commit import set_rate
from bench.load import ROUNDS
from bench.report import Row
from bench.rounds import Call, Round, Way, in_turn, latency, middle
from bench.stage import Stage, stage, sync
from bench.veloflux_jobs import Events
from veloflux.context import Parts
from veloflux.kit import clock, ids
from veloflux.limits import Question, check
from veloflux.metering import record

CLIENTS, SENDERS, BATCH = 64, 8, 500
SECONDS = 2
BARS = {"everysec": 28_000, "always": 18_000}


async def measure() -> list[Row]:
    async with stage() as target:
        gc.freeze()
        asking = checking(target.ctx.parts, target.ctx.tenant, target.key)
        checks, alone = await _by_sync(target, asking, CLIENTS), await _by_sync(target, asking, 1)
        tops = {how: await _top(target, how) for how in BARS}
        events = await _by_sync(target, sending(target), SENDERS)
    return [
        *(_check_row(how, checks[how], alone[how], tops[how]) for how in BARS),
        *(_events_row(how, events[how]) for how in BARS),
    ]


def checking(parts: Parts, tenant: str, key: tuple[str, str]) -> Call:
    """A check of a new id, with an API key (its id and digest)."""
    run, numbers = ids.new("run"), itertools.count()

    async def one() -> None:
        question = Question(meter="requests", id=f"{run}-{next(numbers)}", key=key)
        assert (await check(parts, tenant, question)).allowed

    return one


def sending(target: Stage) -> Call:
    """A batch of new events."""
    events = Events(ids.new("run"), clock.now_ms())

    async def one() -> None:
        assert (await record(target.ctx.parts, target.ctx.tenant, events.some(BATCH))).accepted == BATCH

    return one


async def _by_sync(target: Stage, call: Call, at_once: int) -> dict[str, list[Round]]:
    ways = {how: Way(call, partial(sync, target.ctx, how)) for how in BARS}
    return await in_turn(ways, ROUNDS, at_once, SECONDS)


async def _top(target: Stage, how: str) -> float:
    await sync(target.ctx, how)
    return median(set_rate(target) for _ in range(ROUNDS))


def _check_row(how: str, done: list[Round], alone: list[Round], top: float) -> Row:
    return Row(
        what=f"check in process, {CLIENTS} concurrent, three rate limits and a quota, appendfsync {how}",
        script="in_process.py",
        figure=middle(done),
        unit="checks/s",
        ceiling=top,
        ceiling_is="SET by redis-benchmark",
        least=BARS[how],
        notes=f"a call alone {latency(alone).median_ms:.2f} ms",
        alone=latency(alone),
        loaded=latency(done),
    )


def _events_row(how: str, done: list[Round]) -> Row:
    return Row(
        what=f"events in process in batches of {BATCH}, each id once, {SENDERS} at once, appendfsync {how}",
        script="in_process.py",
        figure=middle(done) * BATCH,
        unit="events/s",
        loaded=latency(done),
    )
