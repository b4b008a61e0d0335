"""A commit of one document with one event, 64 at a time, against SET by redis-benchmark on the same server."""

import asyncio
import re
import subprocess
import time
from statistics import median

from bench.load import ROUNDS
from bench.report import Row
from bench.stage import Stage, redis_of, stage, tool
from veloflux.db import keys
from veloflux.events import ApiKeyCreated
from veloflux.kit import ids
from veloflux.tenants import ApiKey
from veloflux.transaction import Transaction

CLIENTS = 64
COMMITS = 20_000
SETS = 200_000


async def measure() -> list[Row]:
    async with stage() as target:
        rounds = [(await _commits(target), _sets(target)) for _ in range(ROUNDS)]
    return [
        Row(
            what="commit of one document with one event, 64 concurrent, appendfsync always",
            script="commit.py",
            figure=median(commits for commits, _ in rounds),
            unit="commits/s",
            ceiling=median(sets for _, sets in rounds),
            ceiling_is="SET by redis-benchmark",
            bar=0.25,
        )
    ]


async def _commits(target: Stage) -> float:
    left = iter(range(COMMITS))

    async def commit() -> None:
        for _ in left:
            key = ApiKey(
                id=ids.new("key"), name="bench", prefix="vf", digest="0", role="member", created_by="", created_at=0
            )
            tx = Transaction(target.ctx, target.ctx.tenant)
            tx.create(keys.api_key(target.ctx.tenant, key.id), key)
            tx.event(ApiKeyCreated(key=key.id, role=key.role))
            await tx.commit()

    began = time.perf_counter()
    await asyncio.gather(*(commit() for _ in range(CLIENTS)))
    return COMMITS / (time.perf_counter() - began)


def _sets(target: Stage) -> float:
    program = tool("redis-benchmark", "redis-tools")
    auth = (target.settings.data_dir / "redis" / "password").read_text("ascii")
    command = [program, *redis_of(target.settings), "-a", auth, "-c", str(CLIENTS), "-n", str(SETS), "-t", "set", "-q"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(re.findall(r"SET: ([\d.]+) requests per second", out)[-1])
