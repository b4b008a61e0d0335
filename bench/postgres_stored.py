"""Millions of events that both sides remember, and how many bytes each of them takes there."""

import asyncio

from bench.claims import PEER
from bench.postgres_jobs import Postgres
from bench.report import Row
from bench.veloflux_jobs import Events, VeloFlux
from veloflux.kit import clock, ids
from veloflux.metering.program import EVENTS_MAX

BY_ID_MAX = 1_000_000
# The index is built at the end, which is fast and leaves it packed: the least that PostgreSQL can take.
BY_DIGEST = """
TRUNCATE seen;
ALTER TABLE seen DROP CONSTRAINT seen_pkey;
INSERT INTO seen SELECT hashint8extended(n, 1), n % 32768 FROM generate_series(1::bigint, {number}) AS n;
ALTER TABLE seen ADD PRIMARY KEY (digest)
"""
BY_ID = """
INSERT INTO seen_by_id SELECT 1, 'api', 'evt_' || substr(md5(n::text), 1, 20), n % 32768
FROM generate_series(1, {number}) AS n;
ALTER TABLE seen_by_id ADD PRIMARY KEY (tenant, source, id)
"""


async def fill(ours: VeloFlux, theirs: Postgres, number: int, senders: int) -> list[Row]:
    """Store so many events on both sides; gives the rows of their memory."""
    await theirs.run(*BY_DIGEST.format(number=number).split(";"), "VACUUM ANALYZE seen", "CHECKPOINT")
    by_digest = await theirs.size_of("seen") / number
    by_ids = min(number, BY_ID_MAX)
    await theirs.run(*BY_ID.format(number=by_ids).split(";"), "VACUUM ANALYZE seen_by_id", "CHECKPOINT")
    by_id = await theirs.size_of("seen_by_id") / by_ids
    bytes_each = await _fill_ours(ours, number, senders)
    return [
        _row(f"an event remembered, of {number:,}; PostgreSQL keeps 64 bits of a digest too", bytes_each, by_digest),
        _row(f"an event remembered, of {number:,}; PostgreSQL keeps ids of 24 characters", bytes_each, by_id),
    ]


async def _fill_ours(ours: VeloFlux, number: int, senders: int) -> float:
    """Bytes of Redis for each event."""
    before, counted = await ours.used_memory(), await ours.counted()
    events, left = Events(ids.new("run"), clock.now_ms()), number

    async def send() -> None:
        nonlocal left
        while (some := min(left, EVENTS_MAX)) > 0:
            left -= some
            await ours.ingest(events.some(some))

    await ours.everysec()
    await asyncio.gather(*(send() for _ in range(senders)))
    assert await ours.counted() - counted == number, "each event counts once"
    await ours.rewritten()
    await ours.always()
    return (await ours.used_memory() - before) / number


def _row(what: str, ours: float, theirs: float) -> Row:
    return Row(
        what=f"memory: {what}",
        script="postgres_stored.py",
        figure=ours,
        unit="bytes",
        ceiling=theirs,
        ceiling_is=PEER,
        most=0.2,
        notes="used_memory of Redis, which is all in memory, against table and packed index, which are on disk too",
    )
