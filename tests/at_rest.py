"""The worker's work, done in this process until nothing is due: for a test that looks at what follows, step by step."""

import asyncio

from veloflux.context import WORKER, Context, Parts
from veloflux.db import due
from veloflux.db.client import Db
from veloflux.kit import clock
from veloflux.worker import TABLES
from veloflux.worker.acting import acting_for
from veloflux.worker.deliver import deliver
from veloflux.worker.run_job import run_job

LEASE_MS = 60_000
AT_ONCE = 100


async def reach(parts: Parts) -> None:
    """Handle every event and run every job that is due, and what follows from them."""
    ctx = Context(parts=parts, actor=WORKER)
    async with asyncio.timeout(30):
        while owners := await _due(parts):
            for owner in owners:
                for lease in (await due.claim(parts.db, owner, LEASE_MS, AT_ONCE)).leases:
                    within = await acting_for(ctx, lease.owner)
                    if lease.job:
                        await run_job(within, TABLES, lease, 0)
                    else:
                        await deliver(within, TABLES, lease, lambda: False, 0)


async def let_leases_end(parts: Parts) -> None:
    """What time does after a worker has died, for a test that cannot wait: what it held is due again."""
    for found in await parts.db.every_master("KEYS", "vf:due:*"):
        for name in found:
            held = await parts.db.call("ZRANGE", name, clock.now_ms(), clock.now_ms() + LEASE_MS, "BYSCORE")
            for member in held:
                await parts.db.call("ZADD", name, 1, member)


async def first_members(db: Db) -> list[tuple[str, int]]:
    """The first member of every due set and when it is due: of a small database sooner than `due.first_members`, which
    looks into 16,384 slots.
    """
    names = [name for found in await db.every_master("KEYS", "vf:due:*") for name in found]
    firsts = await asyncio.gather(*(db.call("ZRANGE", name, 0, 0, "WITHSCORES") for name in names))
    return [(first[0], int(first[1])) for first in firsts if first]


async def _due(parts: Parts) -> list[str]:
    """An owner of each due set that has something to do now."""
    return [member.partition("/")[0] for member, at in await first_members(parts.db) if at <= clock.now_ms()]
