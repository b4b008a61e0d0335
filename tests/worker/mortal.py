"""Worker processes to be killed: the real loop, with handlers of which none is idempotent by itself.

python -m tests.worker.mortal <URL of Redis>
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import structlog
import uvloop

from tests.worker.working import FAST, note, tables
from veloflux import process
from veloflux.context import Context
from veloflux.db import client, commit, keys
from veloflux.db.commit import Commit
from veloflux.db.jobs import Job
from veloflux.events import Recorded
from veloflux.settings import Settings
from veloflux.transaction import Transaction
from veloflux.wiring import assemble
from veloflux.worker.loop import Worker

OWNERS = [f"ten_{number:03d}" for number in range(200)]
JOB_EVERY = 10
PACE = msgspec.structs.replace(FAST, lease_ms=600, poll_ms=100, poll_lease_ms=250, stop_s=1)
keys.tags()  # once, before the processes fork


reported = False


async def report(ctx: Context, _event: Recorded, _tx: Transaction) -> None:
    """Say, once, that this process has begun to work."""
    global reported  # noqa: PLW0603  one a process
    if not reported:
        reported = True
        await ctx.db.call("HSET", keys.meta(), f"worker {os.getpid()}", "works")


def neighbour(owner: str) -> str:
    """The owner, of another slot, that an owner's events have an effect on."""
    return OWNERS[(OWNERS.index(owner) + 1) % len(OWNERS)]


async def tell_neighbour(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    change = Commit(neighbour(event.owner))
    change.once(event.owner, event.id, "told")
    change.add(keys.limits(change.owner), "heard", 1)
    await commit.run(ctx.db, change)


async def enqueue_some(_ctx: Context, event: Recorded, tx: Transaction) -> None:
    if int(str(event.data["number"])) % JOB_EVERY == 0:
        tx.enqueue("count", {"event": event.id})


async def count(_ctx: Context, job: Job, tx: Transaction) -> None:
    tx.add(keys.limits(job.owner), "jobs", 1)


ROWS = tables({"bell.rang": [report, note, tell_neighbour, enqueue_some]}, {"count": count})


async def work(url: str) -> None:
    db = await client.connect(url)
    settings = Settings(data_dir=Path("/nonexistent"), redis_url=url)
    parts = assemble(settings, db, b"a secret of the tests, 32 bytes!")
    await Worker(parts, ROWS, PACE).run(asyncio.Event())


def nurse(url: str, work: Callable[[str], Coroutine[Any, Any, None]] = work) -> None:
    """Fork a worker for each line on stdin and print its pid: imported once, it starts in milliseconds."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the dead
    nurse = os.getpid()
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            process.die_with_parent(nurse)
            uvloop.run(work(url))
        print(pid, flush=True)


if __name__ == "__main__":
    nurse(sys.argv[1])
