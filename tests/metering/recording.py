"""A process that records the same events as another: `python -m tests.metering.recording <url> <tenant> <events>`;
prints how many it counted and how many had come before."""

import asyncio
import sys
from pathlib import Path

from tests import customers
from veloflux.db import client
from veloflux.metering import Event, record
from veloflux.settings import Settings
from veloflux.wiring import assemble


async def main(url: str, tenant: str, number: str) -> None:
    db = await client.connect(url)
    parts = assemble(Settings(data_dir=Path("unused"), redis_url=url), db, b"a secret of the tests, 32 bytes!")
    events = [Event("http.request", str(at), customers.NOON, data={"bytes": 1}) for at in range(int(number))]
    batches = [events[start : start + 250] for start in range(0, len(events), 250)]
    results = await asyncio.gather(*(record(parts, tenant, batch) for batch in batches))
    print(sum(one.accepted for one in results), sum(one.duplicates for one in results))
    await db.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
