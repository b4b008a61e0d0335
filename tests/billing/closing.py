"""Tenants whose periods end all at once, and the workers that close them, which are killed while they do.

python -m tests.billing.closing <tenants> <kills>     once, on a Valkey of its own; says what came of it
python -m tests.billing.closing nurse <URL of Redis>  forks workers, see tests/worker/mortal.py
"""

import asyncio
import os
import random
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from tests import servers
from tests.billing.shop import credit_notes, invoices, ms, opened, proven, tenant, used
from tests.worker import mortal
from tests.worker.working import nothing_due
from veloflux import tenants
from veloflux.billing.subscriptions.start import Start, start
from veloflux.context import Actor, Context
from veloflux.db import client
from veloflux.settings import Settings
from veloflux.wiring import assemble
from veloflux.worker import TABLES
from veloflux.worker.loop import Worker

WORKERS = 3
WITHIN_S = 900
SECRET = b"a secret of the tests, 32 bytes!"


class Outcome(NamedTuple):
    """What is there when all is closed; `numbers` are of all tenants together, in order."""

    kills: int
    of_period: list[int]
    numbers: list[int]


async def closed_under_kills(ctx: Context, number: int, kills: int) -> Outcome:
    """Let so many tenants end a period at the same time, and as many workers die as they close them."""
    ctx = await opened(ctx)
    ctx = context(ctx.db.url, ctx)
    acmes = [await _begun(ctx, f"Acme {at}") for at in range(number)]
    async with _fleet(ctx.db.url) as workers:
        for acme in acmes:
            await tenants.set_clock(acme, "stopped", ms("2024-03-01T02:00"))
        async with asyncio.timeout(WITHIN_S):
            await _kill(ctx, workers, kills, 2 * number)
            while not await nothing_due(ctx):  # noqa: ASYNC110  other processes do it
                await asyncio.sleep(0.05)
    for acme in acmes:
        await proven_beside_numbers(acme)
    found = [[one for one in await invoices(acme) if one.reason == "period"] for acme in acmes]
    every = [one for acme in acmes for one in await invoices(acme)]
    numbers = sorted(int(one.number.rpartition("-")[2]) for one in every)
    return Outcome(workers.killed, [len(one) for one in found], numbers)


async def proven_beside_numbers(acme: Context) -> None:
    """The ledger is at zero and says what the documents say; numbers are a row over all tenants."""
    await proven(acme, alone=False)
    assert await credit_notes(acme) == []


def context(url: str, ctx: Context) -> Context:
    """The same where invoices stand in one row of the operator."""
    settings = msgspec.structs.replace(ctx.settings, invoice_numbers="operator")
    return msgspec.structs.replace(ctx, parts=msgspec.structs.replace(ctx.parts, settings=settings))


async def _begun(ctx: Context, name: str) -> Context:
    acme = await tenant(ctx, "2024-02-01", name=name)
    await start(acme, Start(plan="metered"))
    await used(acme, 300, "2024-02-01")
    return acme


class Fleet:
    """Workers of which any dies, and is replaced."""

    def __init__(self, nurse: asyncio.subprocess.Process) -> None:
        self._nurse = nurse
        self._pids: list[int] = []
        self.killed = 0

    async def start_one(self) -> None:
        assert self._nurse.stdin
        assert self._nurse.stdout
        self._nurse.stdin.write(b"one more\n")
        self._pids.append(int(await self._nurse.stdout.readline()))

    async def kill_one(self) -> None:
        pid = self._pids.pop(random.randrange(len(self._pids)))
        os.kill(pid, signal.SIGKILL)
        self.killed += 1
        await self.start_one()


@asynccontextmanager
async def _fleet(url: str) -> AsyncIterator[Fleet]:
    command = (sys.executable, "-m", "tests.billing.closing", "nurse", url)
    nurse = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, cwd=Path(__file__).parents[2])
    try:
        fleet = Fleet(nurse)
        for _ in range(WORKERS):
            await fleet.start_one()
        yield fleet
    finally:
        nurse.kill()  # and the kernel its workers
        await nurse.wait()


async def _kill(ctx: Context, workers: Fleet, kills: int, documents: int) -> None:
    """One each time that so much more is done: all of them die at work."""
    while workers.killed < kills:
        made = sum(map(len, await ctx.db.every_master("KEYS", "*:invoice:inv_*")))
        if made - documents // 2 > workers.killed * documents // 2 // (kills + 1):
            await workers.kill_one()
        await asyncio.sleep(0.005)


async def work(url: str) -> None:
    db = await client.connect(url)
    settings = Settings(data_dir=Path("/nonexistent"), redis_url=url, invoice_numbers="operator")
    await Worker(assemble(settings, db, SECRET), TABLES, mortal.PACE).run(asyncio.Event())


async def _once(number: int, kills: int) -> None:
    with servers.standalone() as server, tempfile.TemporaryDirectory() as folder:
        db = await client.connect(server.url)
        settings = Settings(data_dir=Path(folder), redis_url=server.url)
        ctx = Context(parts=assemble(settings, db, SECRET), actor=Actor(id="cli:test"))
        found = await closed_under_kills(ctx, number, kills)
        await db.close()
    right = found.of_period == [1] * number and found.numbers == list(range(1, 2 * number + 1))
    print(f"{found.kills} kills, {sum(found.of_period)} invoices of {number} periods: {'right' if right else found}")


def main(words: Sequence[str]) -> None:
    if words[0] == "nurse":
        mortal.nurse(words[1], work)
    else:
        asyncio.run(_once(*map(int, words)))


if __name__ == "__main__":
    main(sys.argv[1:])
