"""A process that asks many times at once: `python -m tests.limits.asking <url> <tenant> <times> <key id> <digest>`;
prints how often it may pass."""

import asyncio
import sys
from pathlib import Path

from veloflux.db import client
from veloflux.limits import Question, check
from veloflux.settings import Settings
from veloflux.wiring import assemble


async def main(url: str, tenant: str, times: str, key: str, digest: str) -> None:
    db = await client.connect(url)
    parts = assemble(Settings(data_dir=Path("unused"), redis_url=url, check_timeout_ms=10_000), db, bytes(32))
    asked = Question(meter="requests", key=(key, digest))
    decisions = await asyncio.gather(*(check(parts, tenant, asked) for _ in range(int(times))))
    print([one.allowed for one in decisions].count(True))
    await db.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
