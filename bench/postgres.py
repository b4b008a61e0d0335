"""The same jobs on VeloFlux and on PostgreSQL, by turns on the same machine: `python -m bench postgres`, or
`python -m bench.postgres <number>` with another number of stored events than 10 million.
"""

import itertools
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import msgspec
import uvloop

from bench import postgres_server, postgres_stored, report
from bench.postgres_jobs import Postgres, connected
from bench.report import Row
from bench.rounds import Call, Round, Way, drive, in_turn, latency, middle
from bench.stage import stage
from bench.veloflux_jobs import Events, VeloFlux
from veloflux.db import documents
from veloflux.kit import clock, ids
from veloflux.metering import Event
from veloflux.tenants import ApiKey

OURS, EVERYSEC = "VeloFlux", "appendfsync everysec"
ALONE_CALL, TOGETHER = "a statement a call", "callers of the process share a statement"
DAYS = 30
QUARTER_MS = 900_000
QUOTA = 2**52


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured; `stored` is the events that both remember before batches are compared."""

    stored: int = 10_000_000
    rounds: int = 5
    seconds: float = 1.5
    people: int = 32
    callers: int = 64
    senders: int = 8
    batch: int = 500


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What is done on both sides; `each` is how many things a call does, `times` the bar.

    PostgreSQL has several ways where it is not plain which is its best. Who `writes` waits for the disk.
    """

    what: str
    unit: str
    ours: Call
    theirs: dict[str, Call]
    at_once: int
    each: int = 1
    times: float = 0
    writes: bool = True


class Both(msgspec.Struct, frozen=True):
    """The two who do the jobs."""

    ours: VeloFlux
    theirs: Postgres
    sizes: Sizes

    async def do(self, job: Job) -> Row:
        """A job, by turns; the row compares with PostgreSQL's best way."""
        ways = {OURS: Way(job.ours, self.ours.always), **{name: Way(call) for name, call in job.theirs.items()}}
        if job.writes:
            ways[EVERYSEC] = Way(job.ours, self.ours.everysec)
        done = await in_turn(ways, self.sizes.rounds, job.at_once, self.sizes.seconds)
        await self.ours.always()
        best = max(job.theirs, key=lambda name: middle(done[name]))
        alone = {name: latency([await drive(ways[name].call, 1, self.sizes.seconds)]) for name in (OURS, best)}
        return Row(
            what=f"{job.what}, {job.at_once} at once",
            script="postgres.py",
            figure=middle(done[OURS]) * job.each,
            unit=job.unit,
            ceiling=middle(done[best]) * job.each,
            ceiling_is="PostgreSQL",
            times=job.times,
            notes=notes(done, best, job.each, (alone[OURS].median_ms, alone[best].median_ms)),
            alone=alone[OURS],
            loaded=latency(done[OURS]),
        )


def notes(done: dict[str, list[Round]], best: str, each: int, alone_ms: tuple[float, float]) -> str:
    """The spread of both, the other ways, and what one call takes when nobody else calls."""
    words = [f"rounds {_spread(done[OURS], each)} against {_spread(done[best], each)}"]
    if EVERYSEC in done:
        words.append(f"{middle(done[EVERYSEC]) * each:,.0f} with {EVERYSEC}")
    if others := [name for name in done if name not in (OURS, EVERYSEC, best)]:
        words.append(f"PostgreSQL's best: {best}")
        words += [f"{name}: {middle(done[name]) * each:,.0f}" for name in others]
    return "; ".join([*words, f"a call alone {alone_ms[0]:.2f} ms against {alone_ms[1]:.2f} ms"])


def _spread(rounds: list[Round], each: int) -> str:
    figures = [one.per_second * each for one in rounds]
    return f"{min(figures):,.0f} to {max(figures):,.0f}"


def missing() -> str:
    """How to get what is needed; "": it is there."""
    return "" if postgres_server.programs() else postgres_server.HOW_TO_GET_IT


async def measure(sizes: Sizes | None = None) -> list[Row]:
    async with _both(sizes or Sizes()) as both:
        rows = [await both.do(await job(both)) for job in (_sessions, _documents, _month)]
        rows += [await _quota(both), await both.do(await _one_event(both))]
        memory = await postgres_stored.fill(both.ours, both.theirs, both.sizes.stored, both.sizes.senders)
        return [*rows, await both.do(await _batches(both)), *memory]


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
        theirs={ALONE_CALL: theirs},
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
        theirs={ALONE_CALL: theirs},
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
        unit="answers/s",
        ours=ours,
        theirs={ALONE_CALL: theirs},
        at_once=both.sizes.senders,
        writes=False,
    )


async def _quota(both: Both) -> Row:
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

    row = await both.do(
        Job(
            what="units of one quota spent, exactly",
            unit="units/s",
            ours=ours,
            theirs={ALONE_CALL: alone, TOGETHER: together},
            at_once=both.sizes.callers,
            times=10,
        )
    )
    assert await both.ours.counted() - before == next(mine), "each unit counts once"
    assert await both.theirs.used() == next(other), "each unit counts once"
    return row


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
        theirs={ALONE_CALL: alone, TOGETHER: together},
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
