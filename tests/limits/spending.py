"""Processes that record many events at once: `python -m tests.limits.spending <url> <tenant> <processes> <batches>`;
each batch has five of one unit, and one that its neighbour has too."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests import crowd, customers
from veloflux.db import client
from veloflux.metering import Event, record
from veloflux.settings import Settings
from veloflux.wiring import assemble


def batch(name: int, number: int) -> list[Event]:
    ids = [f"{name} {number} {event}" for event in range(5)] + [f"{name} {number - 1} 0"] * (number > 0)
    return [Event("call", id_, customers.NOON, data={"eur": 1}) for id_ in ids]


def main(url: str, tenant: str, processes: str, batches: str) -> None:
    async def spend(name: int, ready: Callable[[], object]) -> Sequence[int]:
        db = await client.connect(url)
        parts = assemble(Settings(data_dir=Path("unused"), redis_url=url), db, b"a secret of the tests, 32 bytes!")
        ready()
        await asyncio.gather(*(record(parts, tenant, batch(name, number)) for number in range(int(batches))))
        await db.close()
        return ()

    crowd.run(int(processes), spend)


if __name__ == "__main__":
    main(*sys.argv[1:])
