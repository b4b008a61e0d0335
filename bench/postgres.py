"""The same jobs on VeloFlux and on PostgreSQL, by turns on the same machine."""

import itertools
from datetime import UTC, datetime, timedelta

from bench.comparison import Both, Job, Sizes, both
from bench.postgres_jobs import CONNECTIONS
from bench.report import Row
from bench.veloflux_jobs import Events
from veloflux.db import documents
from veloflux.kit import clock, ids
from veloflux.metering import Event
from veloflux.tenants import ApiKey

APART, TOGETHER = f"a statement a call, {CONNECTIONS} connections", "callers of the process share statements"
DAYS = 30
QUARTER_MS = 900_000
QUOTA = 2**52


async def measure(sizes: Sizes | None = None) -> list[Row]:
    async with both(sizes or Sizes()) as sides:
        rows: list[Row] = []
        for job in (_sessions, _documents, _month):
            rows += await sides.do(await job(sides))
        rows += await _quota(sides)
        return [*rows, *await sides.do(await _one_event(sides))]


async def _sessions(sides: Both) -> Job:
    signed_in = await sides.ours.people(sides.sizes.people)
    for one in signed_in:
        await sides.theirs.add_session(one.token, one.person.id, one.person.name, one.person.email)
    mine, other = (itertools.cycle([one.token for one in signed_in]) for _ in range(2))

    async def ours() -> None:
        await sides.ours.who(next(mine))

    async def theirs() -> None:
        await sides.theirs.who(next(other))

    return Job(
        what="session looked up",
        unit="sessions/s",
        ours=ours,
        theirs={APART: theirs},
        at_once=sides.sizes.callers,
        writes=False,
    )


async def _documents(sides: Both) -> Job:
    tenant = sides.ours.target.ctx.tenant

    async def theirs() -> None:
        key = ApiKey(
            id=ids.new("key"), name="bench", prefix="vf", digest="0", role="member", created_by="", created_at=0
        )
        trail = {"at": clock.now_ms(), "actor": "cli:bench", "request": tenant, "key": key.id, "role": key.role}
        body = documents.to_fields(key)
        changes = {name: [None, value] for name, value in body.items()}
        await sides.theirs.commit(key.id, body, ids.new("cmt"), "api_key.created", {**trail, "changes": changes})

    return Job(
        what="commit of one document with one event",
        unit="commits/s",
        ours=sides.ours.commit,
        theirs={APART: theirs},
        at_once=sides.sizes.callers,
    )


async def _month(sides: Both) -> Job:
    """Every quarter of an hour of thirty days has usage, and both answer the same."""
    scope = sides.ours.target.ctx.scope
    assert scope
    end = clock.now_ms() // QUARTER_MS
    quarters = range(end - DAYS * 96, end)
    events = [Event("http.request", f"past-{at}", at * QUARTER_MS, data={"bytes": at % 1000}) for at in quarters]
    await sides.ours.backfill(events)
    await sides.theirs.ingest(events)
    last = datetime.now(UTC).date() + timedelta(days=1)
    first = last - timedelta(days=DAYS + 2)

    async def ours() -> None:
        await sides.ours.read_usage(first, last)

    async def theirs() -> None:
        await sides.theirs.read_usage(scope.zone, quarters[0], end + 1)

    found = [amount for _, amount in await sides.theirs.read_usage(scope.zone, quarters[0], end + 1)]
    assert await sides.ours.read_usage(first, last) == found, "both count the same in each hour"
    return Job(
        what=f"usage of {DAYS} days read by hour",
        unit="reads/s",
        ours=ours,
        theirs={APART: theirs},
        at_once=sides.sizes.senders,
        writes=False,
    )


async def _quota(sides: Both) -> list[Row]:
    """Both count every unit that passed, and no other."""
    await sides.theirs.set_quota(QUOTA)
    before, mine, other = await sides.ours.counted(), itertools.count(), itertools.count()

    async def ours() -> None:
        if await sides.ours.spend(1):
            next(mine)

    async def alone() -> None:
        if await sides.theirs.spend(1):
            next(other)

    async def together() -> None:
        if await sides.theirs.spend_together(1):
            next(other)

    rows = await sides.do(
        Job(
            what="units of one quota spent, exactly",
            unit="units/s",
            ours=ours,
            theirs={APART: alone, TOGETHER: together},
            at_once=sides.sizes.callers,
            times=10,
        )
    )
    assert await sides.ours.counted() - before == next(mine), "each unit counts once"
    assert await sides.theirs.used() == next(other), "each unit counts once"
    return rows


async def _one_event(sides: Both) -> Job:
    events = Events(ids.new("run"), clock.now_ms())

    async def ours() -> None:
        await sides.ours.ingest([events.one()])

    async def alone() -> None:
        await sides.theirs.record(events.one())

    async def together() -> None:
        await sides.theirs.record_together(events.one())

    return Job(
        what="event recorded, one a call, each id once",
        unit="events/s",
        ours=ours,
        theirs={APART: alone, TOGETHER: together},
        at_once=sides.sizes.callers,
        times=2,
    )
