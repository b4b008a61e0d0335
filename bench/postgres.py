"""The same jobs on VeloFlux and on PostgreSQL, by turns on the same machine: `python -m bench postgres`, or
`python -m bench.postgres <number>` with another number of stored events than 10 million.
"""

import itertools
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import uvloop

from bench import postgres_server, postgres_stored, report
from bench.comparison import Both, Job, Sizes
from bench.postgres_jobs import connected
from bench.report import Row
from bench.stage import stage
from bench.veloflux_jobs import Events, VeloFlux
from veloflux.db import documents
from veloflux.kit import clock, ids
from veloflux.metering import Event
from veloflux.tenants import ApiKey

APART, TOGETHER = "a statement a call", "callers of the process share statements"
DAYS = 30
QUARTER_MS = 900_000
QUOTA = 2**52


async def measure(sizes: Sizes | None = None) -> list[Row]:
    async with _both(sizes or Sizes()) as both:
        rows: list[Row] = []
        for job in (_sessions, _documents, _month):
            rows += await both.do(await job(both))
        rows += await _quota(both)
        rows += await both.do(await _one_event(both))
        memory = await postgres_stored.fill(both.ours, both.theirs, both.sizes.stored, both.sizes.senders)
        return [*rows, *await both.do(await _batches(both)), *memory]


@asynccontextmanager
async def _both(sizes: Sizes) -> AsyncIterator[Both]:
    with postgres_server.postgres() as socket:
        async with stage() as target, connected(socket) as theirs:
            ours = VeloFlux(target)
            await ours.prepare()
            yield Both(ours, theirs, sizes)


async def _sessions(both: Both) -> Job:
    signed_in = await both.ours.people(both.sizes.people)
    for one in signed_in:
        await both.theirs.add_session(one.token, one.person.id, one.person.name, one.person.email)
    mine, other = (itertools.cycle([one.token for one in signed_in]) for _ in range(2))

    async def ours() -> None:
        await both.ours.who(next(mine))

    async def theirs() -> None:
        await both.theirs.who(next(other))

    return Job(
        what="session looked up",
        unit="sessions/s",
        ours=ours,
        theirs={APART: theirs},
        at_once=both.sizes.callers,
        writes=False,
    )


async def _documents(both: Both) -> Job:
    tenant = both.ours.target.ctx.tenant

    async def theirs() -> None:
        key = ApiKey(
            id=ids.new("key"), name="bench", prefix="vf", digest="0", role="member", created_by="", created_at=0
        )
        trail = {"at": clock.now_ms(), "actor": "cli:bench", "request": tenant, "key": key.id, "role": key.role}
        body = documents.to_fields(key)
        changes = {name: [None, value] for name, value in body.items()}
        await both.theirs.commit(key.id, body, ids.new("cmt"), "api_key.created", {**trail, "changes": changes})

    return Job(
        what="commit of one document with one event",
        unit="commits/s",
        ours=both.ours.commit,
        theirs={APART: theirs},
        at_once=both.sizes.callers,
    )


async def _month(both: Both) -> Job:
    """Every quarter of an hour of thirty days has usage, and both answer the same."""
    zone = both.ours.target.ctx.scope.zone
    end = clock.now_ms() // QUARTER_MS
    quarters = range(end - DAYS * 96, end)
    events = [Event("http.request", f"past-{at}", at * QUARTER_MS, data={"bytes": at % 1000}) for at in quarters]
    await both.ours.backfill(events)
    await both.theirs.ingest(events)
    last = datetime.now(UTC).date() + timedelta(days=1)
    first = last - timedelta(days=DAYS + 2)

    async def ours() -> None:
        await both.ours.read_usage(first, last)

    async def theirs() -> None:
        await both.theirs.read_usage(zone, quarters[0], end + 1)

    found = [amount for _, amount in await both.theirs.read_usage(zone, quarters[0], end + 1)]
    assert await both.ours.read_usage(first, last) == found, "both count the same in each hour"
    return Job(
        what=f"usage of {DAYS} days read by hour",
        unit="reads/s",
        ours=ours,
        theirs={APART: theirs},
        at_once=both.sizes.senders,
        writes=False,
    )


async def _quota(both: Both) -> list[Row]:
    """Both count every unit that passed, and no other."""
    await both.theirs.set_quota(QUOTA)
    before, mine, other = await both.ours.counted(), itertools.count(), itertools.count()

    async def ours() -> None:
        if await both.ours.spend(1):
            next(mine)

    async def alone() -> None:
        if await both.theirs.spend(1):
            next(other)

    async def together() -> None:
        if await both.theirs.spend_together(1):
            next(other)

    rows = await both.do(
        Job(
            what="units of one quota spent, exactly",
            unit="units/s",
            ours=ours,
            theirs={APART: alone, TOGETHER: together},
            at_once=both.sizes.callers,
            times=10,
        )
    )
    assert await both.ours.counted() - before == next(mine), "each unit counts once"
    assert await both.theirs.used() == next(other), "each unit counts once"
    return rows


async def _one_event(both: Both) -> Job:
    events = Events(ids.new("run"), clock.now_ms())

    async def ours() -> None:
        await both.ours.ingest([events.one()])

    async def alone() -> None:
        await both.theirs.record(events.one())

    async def together() -> None:
        await both.theirs.record_together(events.one())

    return Job(
        what="event recorded, one a call, each id once",
        unit="events/s",
        ours=ours,
        theirs={APART: alone, TOGETHER: together},
        at_once=both.sizes.callers,
        times=2,
    )


async def _batches(both: Both) -> Job:
    events = Events(ids.new("run"), clock.now_ms())

    async def ours() -> None:
        await both.ours.ingest(events.some(both.sizes.batch))

    async def theirs() -> None:
        await both.theirs.ingest(events.some(both.sizes.batch))

    return Job(
        what=f"events in batches of {both.sizes.batch}, each id once, {both.sizes.stored:,} stored before",
        unit="events/s",
        ours=ours,
        theirs={"a statement a batch": theirs},
        at_once=both.sizes.senders,
        each=both.sizes.batch,
    )


async def main(stored: int) -> None:
    """Print the table."""
    report.print_table(await measure(Sizes(stored=stored)))


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
