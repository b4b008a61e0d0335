"""Processes that count until and after a period is closed: `python -m tests.metering.closing <url> <tenant> <processes>
<seed>`. Each sends every event, before and after NOON, in an order of its own, and asks every check; the tenant's clock
stands at NOON."""

import asyncio
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests import crowd
from tests.customers import NOON
from veloflux.context import Parts
from veloflux.db import client
from veloflux.limits import Question, check
from veloflux.metering import Event, record
from veloflux.settings import Settings
from veloflux.wiring import assemble

EVENTS, CHECKS, BATCH = 120, 20, 15
SPREAD_MS = 120_000


def events(seed: int) -> list[Event]:
    """All of them, the same for the same seed."""
    chance = random.Random(seed)
    times = [NOON + chance.randrange(-SPREAD_MS, SPREAD_MS) for _ in range(EVENTS)]
    return [Event("http.request", f"e{at}", time, data={"bytes": 1}) for at, time in enumerate(times)]


async def count_all(parts: Parts, tenant: str, seed: int, worker: int) -> None:
    """What one of those does that count at the same time."""
    sent, chance = events(seed), random.Random(f"{seed} {worker}")
    chance.shuffle(sent)
    batches = [sent[start : start + BATCH] for start in range(0, EVENTS, BATCH)]
    asked = [Question(meter="requests", id=f"c{at}") for at in chance.sample(range(CHECKS), CHECKS)]
    for number, batch in enumerate(batches):
        few = asked[number :: len(batches)]
        await asyncio.gather(record(parts, tenant, batch), *(check(parts, tenant, one) for one in few))


def main(url: str, tenant: str, processes: str, seed: str) -> None:
    async def count(number: int, ready: Callable[[], object]) -> Sequence[int]:
        db = await client.connect(url)
        settings = Settings(data_dir=Path("unused"), redis_url=url, check_timeout_ms=10_000)
        parts = assemble(settings, db, b"a secret of the tests, 32 bytes!")
        ready()
        await count_all(parts, tenant, int(seed), number)
        await db.close()
        return ()

    crowd.run(int(processes), count)


if __name__ == "__main__":
    main(*sys.argv[1:])
