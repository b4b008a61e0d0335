"""Processes that ask many times at once: `python -m tests.limits.asking <url> <tenant> <processes> <times> <key id>
<digest>`; each tells how often it may pass."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests import crowd
from veloflux.db import client
from veloflux.limits import Question, check
from veloflux.settings import Settings
from veloflux.wiring import assemble


def main(url: str, tenant: str, processes: str, times: str, *key: str) -> None:
    id_, digest = key
    asked = Question(meter="requests", key=(id_, digest))

    async def ask(_number: int, ready: Callable[[], object]) -> Sequence[int]:
        db = await client.connect(url)
        parts = assemble(Settings(data_dir=Path("unused"), redis_url=url, check_timeout_ms=10_000), db, bytes(32))
        ready()
        decisions = await asyncio.gather(*(check(parts, tenant, asked) for _ in range(int(times))))
        await db.close()
        return [[one.allowed for one in decisions].count(True)]

    crowd.run(int(processes), ask)


if __name__ == "__main__":
    main(*sys.argv[1:])
