"""Events in batches where many are stored already, and how many bytes each of them takes: the same on both sides.

`python -m bench postgres_stored --stored 10000000` stores ten million.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import msgspec

from bench.claims import PEER
from bench.comparison import Both, Job, Sizes, both
from bench.report import Row
from bench.stage import used_memory
from bench.veloflux_jobs import Events
from veloflux.kit import clock, ids
from veloflux.metering import Event

BY_ID_MAX = 1_000_000
# As an application stores ids itself, which come in no order.
BY_ID = """
INSERT INTO seen_by_id SELECT 1, 'api', 'evt_' || substr(md5(n::text), 1, 20), n % 32768
FROM generate_series(1, {number}) AS n
"""
A_FIFTH = 0.2


class Filled(msgspec.Struct, frozen=True):
    """Events a second, and bytes of each."""

    rate: float
    bytes_each: float


async def measure(sizes: Sizes | None = None) -> list[Row]:
    async with both(sizes or Sizes()) as sides:
        ours, theirs = await _fill_ours(sides), await _fill_theirs(sides)
        by_id = await _by_id(sides)
        rows = await sides.do(_batches(sides))
        return [*rows, _from_empty(sides, ours, theirs), *await _memory(sides, ours, theirs, by_id)]


def _batches(sides: Both) -> Job:
    events = Events(ids.new("run"), clock.now_ms())

    async def ours() -> None:
        await sides.ours.ingest(events.some(sides.sizes.batch))

    async def theirs() -> None:
        await sides.theirs.ingest(events.some(sides.sizes.batch))

    return Job(
        what=f"events in batches of {sides.sizes.batch}, each id once, {sides.sizes.stored:,} stored before",
        unit="events/s",
        ours=ours,
        theirs={"a statement a batch": theirs},
        at_once=sides.sizes.senders,
        each=sides.sizes.batch,
    )


async def _fill_ours(sides: Both) -> Filled:
    ctx = sides.ours.target.ctx
    before, counted = await used_memory(ctx), await sides.ours.counted()
    rate = await _send(sides.ours.ingest, sides.sizes)
    assert await sides.ours.counted() - counted == sides.sizes.stored, "each event counts once"
    await sides.ours.rewritten()
    return Filled(rate, (await used_memory(ctx) - before) / sides.sizes.stored)


async def _fill_theirs(sides: Both) -> Filled:
    rate = await _send(sides.theirs.ingest, sides.sizes)
    assert await sides.theirs.counted() == sides.sizes.stored, "each event counts once"
    await sides.theirs.run("VACUUM ANALYZE seen", "CHECKPOINT")
    return Filled(rate, await sides.theirs.size_of("seen") / sides.sizes.stored)


async def _send(ingest: Callable[[list[Event]], Awaitable[object]], sizes: Sizes) -> float:
    """Events a second, of all that are to be stored."""
    events, left = Events(ids.new("run"), clock.now_ms()), sizes.stored

    async def send() -> None:
        nonlocal left
        while (some := min(left, sizes.batch)) > 0:
            left -= some
            await ingest(events.some(some))

    began = time.perf_counter()
    await asyncio.gather(*(send() for _ in range(sizes.senders)))
    return sizes.stored / (time.perf_counter() - began)


async def _by_id(sides: Both) -> float:
    """Bytes of an event whose id itself is kept."""
    number = min(sides.sizes.stored, BY_ID_MAX)
    await sides.theirs.run(BY_ID.format(number=number), "VACUUM ANALYZE seen_by_id", "CHECKPOINT")
    return await sides.theirs.size_of("seen_by_id") / number


def _from_empty(sides: Both, ours: Filled, theirs: Filled) -> Row:
    return Row(
        what=f"the first {sides.sizes.stored:,} events, in batches of {sides.sizes.batch}",
        script="postgres_stored.py",
        figure=ours.rate,
        unit="events/s",
        ceiling=theirs.rate,
        ceiling_is=PEER,
        notes="once, one side after the other",
    )


async def _memory(sides: Both, ours: Filled, theirs: Filled, by_id: float) -> list[Row]:
    await sides.theirs.run("REINDEX TABLE seen", "REINDEX TABLE seen_by_id")
    packed = await sides.theirs.size_of("seen") / await sides.theirs.stored()
    packed_id = await sides.theirs.size_of("seen_by_id") / min(sides.sizes.stored, BY_ID_MAX)
    what, ours_each = f"an event remembered, of {sides.sizes.stored:,}", ours.bytes_each
    return [
        _row(f"{what}; {PEER} keeps 64 bits of a digest too", ours_each, theirs.bytes_each, packed),
        _row(f"{what}; {PEER} keeps ids of 24 characters", ours_each, by_id, packed_id),
    ]


def _row(what: str, ours: float, theirs: float, packed: float) -> Row:
    return Row(
        what=f"memory: {what}",
        script="postgres_stored.py",
        figure=ours,
        unit="bytes",
        ceiling=theirs,
        ceiling_is=PEER,
        most_ratio=A_FIFTH,
        notes="what used_memory of Redis grew by against table and index, which are on disk too; "
        f"with its index built anew, {packed:.0f}: {ours / packed:.2f}",
    )
