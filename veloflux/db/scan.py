"""All keys of a kind, for rebuilding what is kept from events; never for a request."""

from collections.abc import AsyncIterator

from veloflux.db.client import Db

A_STEP = 1_000


async def scan(db: Db, pattern: str) -> AsyncIterator[str]:
    """The keys that match a glob; one may come twice, and one made meanwhile may not come."""
    for master, _ in await db.slots_by_master():
        cursor = "0"
        while True:  # as many steps as the master has keys, in thousands
            cursor, found = await master.call("SCAN", cursor, "MATCH", pattern, "COUNT", A_STEP)
            for key in found:
                yield key
            if cursor == "0":
                break
