"""The same job by several ways in turn, so that what else the machine does at the time falls on all of them alike."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from statistics import median

import msgspec

from bench.report import Latency

Call = Callable[[], Awaitable[None]]


class Way(msgspec.Struct, frozen=True):
    """`call` does the job once; `before` is awaited ahead of each round of it."""

    call: Call
    before: Call | None = None


class Round(msgspec.Struct, frozen=True):
    """`took` is the seconds of each call."""

    per_second: float
    took: Sequence[float]


async def drive(call: Call, at_once: int, seconds: float) -> Round:
    """Call again and again from so many tasks, from each once at least; what has begun is waited for."""
    took: list[float] = []
    start = time.perf_counter()

    async def some() -> None:
        ended = 0.0
        while ended < start + seconds:
            began = time.perf_counter()
            await call()
            ended = time.perf_counter()
            took.append(ended - began)

    await asyncio.gather(*(some() for _ in range(at_once)))
    return Round(len(took) / (time.perf_counter() - start), took)


async def in_turn(ways: Mapping[str, Way], rounds: int, at_once: int, seconds: float) -> dict[str, list[Round]]:
    """Rounds of each way, one way after the other, every second time in reverse; a first round is not kept."""
    kept: dict[str, list[Round]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name in ways if number % 2 else reversed(list(ways)):
            way = ways[name]
            if way.before:
                await way.before()
            done = await drive(way.call, at_once, seconds)
            if number:
                kept[name].append(done)
    return kept


def middle(rounds: Sequence[Round]) -> float:
    """Median of the calls a second."""
    return median(one.per_second for one in rounds)


def latency(rounds: Sequence[Round]) -> Latency:
    """Of all calls together."""
    return latency_of([seconds for one in rounds for seconds in one.took])


def latency_of(took: Sequence[float]) -> Latency:
    """Median and 99th percentile (nearest rank) of seconds, in ms.

    >>> latency_of([0.001] * 98 + [0.002, 0.003])
    Latency(median_ms=1.0, p99_ms=2.0)
    """
    ranked = sorted(took)
    return Latency(median(ranked) * 1000, ranked[-(-len(ranked) * 99 // 100) - 1] * 1000)
