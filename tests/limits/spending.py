"""A process that records many events at once: `python -m tests.limits.spending <url> <tenant> <batches> <name>`; each
batch has five of one unit, and one that its neighbour has too."""

import asyncio
import sys
from pathlib import Path

from tests import customers
from veloflux.db import client
from veloflux.metering import Event, record
from veloflux.settings import Settings
from veloflux.wiring import assemble


async def main(url: str, tenant: str, batches: str, name: str) -> None:
    db = await client.connect(url)
    parts = assemble(Settings(data_dir=Path("unused"), redis_url=url), db, b"a secret of the tests, 32 bytes!")

    def batch(number: int) -> list[Event]:
        ids = [f"{name} {number} {event}" for event in range(5)] + [f"{name} {number - 1} 0"] * (number > 0)
        return [Event("call", id_, customers.NOON, data={"eur": 1}) for id_ in ids]

    await asyncio.gather(*(record(parts, tenant, batch(number)) for number in range(int(batches))))
    await db.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
