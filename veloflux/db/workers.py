"""Which workers live: each says so every few seconds."""

from veloflux.db import keys
from veloflux.db.client import Db
from veloflux.kit import clock


async def beat(db: Db, worker: str) -> None:
    """Say that a worker lives; those not seen for a day are forgotten."""
    now = clock.now_ms()
    await db.call("ZADD", keys.workers(), now, worker)
    await db.call("ZREMRANGEBYSCORE", keys.workers(), "-inf", now - clock.DAY_MS)


async def leave(db: Db, worker: str) -> None:
    """A worker stops by its own will."""
    await db.call("ZREM", keys.workers(), worker)


async def last_seen(db: Db) -> int | None:
    """When any worker was last seen, in epoch ms; None when there is none."""
    found = await db.call("ZRANGE", keys.workers(), 0, 0, "REV", "WITHSCORES")
    return int(found[1]) if found else None
