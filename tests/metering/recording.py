"""Processes that record the same events: `python -m tests.metering.recording <url> <tenant> <processes> <events>`; each
tells how many it counted and how many had come before."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests import crowd, customers
from veloflux.db import client
from veloflux.metering import Event, record
from veloflux.settings import Settings
from veloflux.wiring import assemble


def main(url: str, tenant: str, processes: str, number: str) -> None:
    events = [Event("http.request", str(at), customers.NOON, data={"bytes": 1}) for at in range(int(number))]
    batches = [events[start : start + 250] for start in range(0, len(events), 250)]

    async def record_all(_number: int, ready: Callable[[], object]) -> Sequence[int]:
        db = await client.connect(url)
        parts = assemble(Settings(data_dir=Path("unused"), redis_url=url), db, b"a secret of the tests, 32 bytes!")
        ready()
        results = await asyncio.gather(*(record(parts, tenant, batch) for batch in batches))
        await db.close()
        return sum(one.accepted for one in results), sum(one.duplicates for one in results)

    crowd.run(int(processes), record_all)


if __name__ == "__main__":
    main(*sys.argv[1:])
