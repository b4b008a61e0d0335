"""A job done by VeloFlux and by PostgreSQL in turn, and the rows that come of it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import msgspec

from bench import postgres_server
from bench.claims import PEER
from bench.postgres_jobs import Postgres, connected
from bench.report import Latency, Row
from bench.rounds import Call, Round, Way, drive, in_turn, latency, middle
from bench.stage import stage
from bench.veloflux_jobs import VeloFlux

OURS, EVERYSEC = "VeloFlux", "appendfsync everysec"


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured; `stored` is the events that both remember before batches are compared."""

    stored: int = 1_000_000
    rounds: int = 5
    seconds: float = 1
    people: int = 32
    callers: int = 64
    senders: int = 8
    batch: int = 500


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What is done on both sides; `each` is how many things a call does, `times` the bar.

    `theirs` are PostgreSQL's ways. The bar and the claims are held against the first, a statement a call, as an
    application asks. Others are reported beside it: only callers of one process can share a statement. Who `writes`
    waits for the disk.
    """

    what: str
    unit: str
    ours: Call
    theirs: dict[str, Call]
    at_once: int
    each: int = 1
    times: float | None = None
    writes: bool = True


class Both(msgspec.Struct, frozen=True):
    """The two who do the jobs."""

    ours: VeloFlux
    theirs: Postgres
    sizes: Sizes

    async def do(self, job: Job) -> list[Row]:
        """A job, by turns; a row for each of PostgreSQL's ways."""
        ways = {OURS: Way(job.ours, self.ours.always), **{name: Way(call) for name, call in job.theirs.items()}}
        if job.writes:
            ways[EVERYSEC] = Way(job.ours, self.ours.everysec)
        done = await in_turn(ways, self.sizes.rounds, job.at_once, self.sizes.seconds)
        await self.ours.always()
        alone = {
            name: latency([await drive(ways[name].call, 1, self.sizes.seconds)]) for name in ways if name != EVERYSEC
        }
        return [compared(job, name, done, alone, judged=number == 0) for number, name in enumerate(job.theirs)]


@asynccontextmanager
async def both(sizes: Sizes) -> AsyncIterator[Both]:
    """A server and a tenant on both sides, until the block ends."""
    with postgres_server.postgres() as socket:
        async with stage() as target, connected(socket) as theirs:
            ours = VeloFlux(target)
            await ours.prepare()
            yield Both(ours, theirs, sizes)


def compared(
    job: Job, peer: str, done: Mapping[str, Sequence[Round]], alone: Mapping[str, Latency], *, judged: bool
) -> Row:
    """Ours beside one way of PostgreSQL."""
    words = [f"rounds {_spread(done[OURS], job.each)} against {_spread(done[peer], job.each)}"]
    if EVERYSEC in done:
        words.append(f"{middle(done[EVERYSEC]) * job.each:,.0f} with {EVERYSEC}")
    words.append(f"a call alone {alone[OURS].median_ms:.2f} ms against {alone[peer].median_ms:.2f} ms")
    way = f"; {PEER}: {peer}" if len(job.theirs) > 1 else ""
    return Row(
        what=f"{job.what}, {job.at_once} at once{way}",
        script="postgres.py",
        figure=middle(done[OURS]) * job.each,
        unit=job.unit,
        ceiling=middle(done[peer]) * job.each,
        ceiling_is=PEER,
        least_ratio=job.times if judged else None,
        notes="; ".join(words),
        alone=alone[OURS] if judged else None,
        loaded=latency(done[OURS]) if judged else None,
    )


def _spread(rounds: Sequence[Round], each: int) -> str:
    figures = [one.per_second * each for one in rounds]
    return f"{min(figures):,.0f} to {max(figures):,.0f}"
