"""A commit of one document with one event, 64 at a time, against SET by redis-benchmark on the same server."""

import asyncio
import hashlib
import re
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterable
from statistics import median
from typing import Any

from bench.load import ROUNDS
from bench.report import Row
from bench.stage import Stage, redis_of, stage, tool
from veloflux.db import keys
from veloflux.db.commit import COMMIT
from veloflux.events import ApiKeyCreated
from veloflux.kit import ids
from veloflux.tenants import ApiKey
from veloflux.transaction import Transaction

CLIENTS = 64
COMMITS = 20_000
SETS = 200_000
WRITES_ALONE = """#!lua
redis.call('HSET', KEYS[4], unpack(ARGV, 10, 9 + ARGV[9]))
redis.call('XADD', KEYS[1], '*', unpack(ARGV, 11 + ARGV[9], #ARGV))
redis.call('ZADD', KEYS[3], 'NX', 0, ARGV[1])
redis.call('SET', KEYS[2], 'done', 'PX', 600000)
return {'OK', ''}
"""


async def measure() -> list[Row]:
    async with stage() as target:
        rounds = [(await _commits(target), await _writes(target), set_rate(target)) for _ in range(ROUNDS)]
    commits, writes, sets = (median(figures) for figures in zip(*rounds, strict=True))
    return [
        Row(
            what="commit of one document with one event, 64 concurrent, appendfsync always",
            script="commit.py",
            figure=commits,
            unit="commits/s",
            ceiling=sets,
            ceiling_is="SET by redis-benchmark",
            least_ratio=0.25,
            notes=f"its four writes alone, in a script without a check, made ready before: {writes / sets:.2f}",
        )
    ]


async def _commits(target: Stage) -> float:
    async def commit(_: int) -> None:
        await change(target).commit()

    return await _rate(commit, range(COMMITS))


async def _writes(target: Stage) -> float:
    """The least that a commit could cost: the same words, sent to a script that only writes."""
    sha = hashlib.sha1(WRITES_ALONE.encode(), usedforsecurity=False).hexdigest()
    script = COMMIT._replace(name="bench/writes_alone", source=WRITES_ALONE, sha=sha)
    changes = [change(target) for _ in range(COMMITS)]
    programs = [await change.ready() for change in changes]

    async def write(program: tuple[list[str], list[str]]) -> None:
        await target.ctx.db.script(script, *program)

    return await _rate(write, programs)


def change(target: Stage) -> Transaction:
    key = ApiKey(id=ids.new("key"), name="bench", prefix="vf", digest="0", role="member", created_by="", created_at=0)
    tx = Transaction(target.ctx, target.ctx.tenant)
    tx.create(keys.api_key(target.ctx.tenant, key.id), key)
    tx.event(ApiKeyCreated(key=key.id, role=key.role))
    return tx


async def _rate(call: Callable[[Any], Awaitable[None]], what: Iterable[Any]) -> float:
    """Calls a second, 64 at a time."""
    left, count = iter(what), 0

    async def work() -> None:
        nonlocal count
        for one in left:
            await call(one)
            count += 1

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(CLIENTS)))
    return count / (time.perf_counter() - began)


def set_rate(target: Stage) -> float:
    """SET a second by redis-benchmark, from as many connections."""
    program = tool("redis-benchmark", "redis-tools")
    auth = (target.settings.data_dir / "redis" / "password").read_text("ascii")
    command = [program, *redis_of(target.settings), "-a", auth, "-c", str(CLIENTS), "-n", str(SETS), "-t", "set", "-q"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(re.findall(r"SET: ([\d.]+) requests per second", out)[-1])
