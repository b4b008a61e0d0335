"""Workers that run in this process at a fast pace, and what they are tried with."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from tests import at_rest
from veloflux.context import Context, Parts
from veloflux.db import keys
from veloflux.errors import NotSent
from veloflux.events import Event, Recorded
from veloflux.transaction import Transaction
from veloflux.worker.loop import Pace, Worker
from veloflux.worker.tables import Handler, JobFunction, Ordered, Schedule, Tables

FAST = Pace(
    lease_ms=5_000, poll_ms=100, poll_lease_ms=500, beat_s=0.1, schedule_s=0.02, retry_ms=0, away_ms=50, stop_s=5
)
WITHIN_S = 30
ALICE, BOB = "ten_a1ice", "ten_b0b"


class Rang(Event, frozen=True, kw_only=True):
    name = "bell.rang"
    number: int


class Answered(Event, frozen=True, kw_only=True):
    name = "bell.answered"
    number: int


def tables(
    on_event: Mapping[str, Sequence[Handler | Ordered]] | None = None,
    jobs: Mapping[str, JobFunction] | None = None,
    schedule: Mapping[str, Schedule] | None = None,
) -> Tables:
    return Tables(jobs or {}, schedule or {}, on_event or {})


@asynccontextmanager
async def working(parts: Parts, rows: Tables, *, workers: int = 1, pace: Pace = FAST) -> AsyncIterator[None]:
    """Workers run while the body does; then they are stopped as by SIGTERM."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(Worker(parts, rows, pace).run(stop)) for _ in range(workers)]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    """Wait until something is true; fail when it does not become so."""
    async with asyncio.timeout(WITHIN_S):
        while not await condition():  # noqa: ASYNC110  other processes do it
            await asyncio.sleep(0.01)


async def nothing_due(ctx: Context) -> bool:
    try:
        return not await at_rest.first_members(ctx.db)
    except NotSent:  # the machine is busy
        return False


async def ring(ctx: Context, owner: str, *numbers: int) -> None:
    """One commit an event."""
    for number in numbers:
        tx = Transaction(ctx, owner)
        tx.event(Rang(number=number))
        await tx.commit()


async def note(ctx: Context, event: Recorded, tx: Transaction) -> None:
    """A handler that is not idempotent by itself: it appends the number to a text in the owner's slot."""
    key = keys.setup(event.owner)
    tx.set(key, f"{await ctx.db.call('GET', key) or ''}{event.data['number']} ")


async def noted(ctx: Context, owner: str) -> list[int]:
    return [int(number) for number in (await ctx.db.call("GET", keys.setup(owner)) or "").split()]
