"""What a fail-over costs: checks that were answered as counted, and are missing on the replica that takes over.

The primary is killed under load together with its link to the replica, which delays as one to another data centre does;
the replica, in step until then, is promoted as it stands. Which checks it misses, it is asked itself: an answered id
that it counts once more is one.
"""

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from statistics import median

import msgspec

from bench.report import Row
from bench.stage import lift_limits
from tests.servers import Server, wait_for
from veloflux import tenants, wiring
from veloflux.context import Actor, Context
from veloflux.db import keys
from veloflux.errors import Unavailable
from veloflux.limits import Question, check
from veloflux.settings import Settings
from veloflux.tenants import EVERYTHING

CLIENTS, LOAD_S, ROUNDS, DELAY_MS = 64, 2.0, 5, 5
DURABLE = ("--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction")


class Round(msgspec.Struct, frozen=True):
    """How many checks were answered before the primary died, and how many of them the replica does not know."""

    answered: int
    missing: int


async def measure() -> list[Row]:
    return [row for replicas in (0, 1) for row in await _rows(replicas)]


async def _rows(replicas: int) -> list[Row]:
    rounds = [await _round(replicas) for _ in range(ROUNDS)]
    how = f"redis_wait_replicas = {replicas}"
    return [
        Row(
            what=f"checks answered and then missing after a fail-over under load, {how}",
            script="fail_over.py",
            figure=max(one.missing for one in rounds),
            unit="checks",
            most=0 if replicas else None,
            notes=f"the most of {ROUNDS}, median {median(one.missing for one in rounds):,.0f}; "
            f"the replica is {DELAY_MS} ms away",
        ),
        Row(
            what=f"checks in process, 64 concurrent, beside a replica, {how}",
            script="fail_over.py",
            figure=median(one.answered for one in rounds) / LOAD_S,
            unit="checks/s",
        ),
    ]


async def _round(replicas: int) -> Round:
    with tempfile.TemporaryDirectory(prefix="vf-fail-over-") as name:
        folder = Path(name)
        primary = Server(folder, *DURABLE)
        with _link(primary.port) as (link, port):
            replica = Server(folder, *DURABLE, "--replicaof", f"127.0.0.1 {port}")
            try:
                wait_for(lambda: replica.client.info("replication")["master_link_status"] == "up", "the replica")
                async with _parts(_settings(primary, folder, replicas)) as ctx:
                    tenant, answered = await _load(ctx, primary, link)
                replica.client.replicaof("NO", "ONE")
                async with _parts(_settings(replica, folder, 0)) as ctx:
                    return Round(len(answered), await _missing(ctx, tenant, answered))
            finally:
                primary.stop()
                replica.stop()


@contextmanager
def _link(port: int) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    command = [sys.executable, "-m", "bench.link", str(port), str(DELAY_MS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as link:
        try:
            assert link.stdout
            yield link, int(link.stdout.readline())
        finally:
            link.kill()


def _settings(server: Server, folder: Path, replicas: int) -> Settings:
    return Settings(
        redis_url=server.url,
        data_dir=folder,
        redis_unsafe=True,
        redis_wait_replicas=replicas,
        check_timeout_ms=2_000,
    )


@asynccontextmanager
async def _parts(settings: Settings) -> AsyncIterator[Context]:
    async with wiring.build(settings) as parts:
        yield Context(parts=parts, actor=Actor(id="cli:bench"))


async def _load(ctx: Context, primary: Server, link: "subprocess.Popen[str]") -> tuple[str, list[str]]:
    """The tenant, and the ids of the checks that were answered until primary and link were killed."""
    tenant = await tenants.create_tenant(ctx, "Bench", plan="enterprise")
    ctx = ctx.within(tenants.scope_of(tenant), EVERYTHING)
    await lift_limits(ctx)
    answered: list[str] = []

    async def ask(client: int) -> None:
        number = 0
        while True:
            number, id_ = number + 1, f"{client}-{number}"
            assert (await check(ctx.parts, ctx.tenant, Question(meter="requests", id=id_))).allowed
            answered.append(id_)

    asking = [asyncio.ensure_future(ask(client)) for client in range(CLIENTS)]
    await asyncio.sleep(LOAD_S)
    link.kill()
    primary.process.kill()
    ends = await asyncio.gather(*asking, return_exceptions=True)
    assert all(isinstance(end, Unavailable) for end in ends), ends
    return tenant.id, answered


async def _missing(ctx: Context, tenant: str, answered: list[str]) -> int:
    before = await _counted(ctx, tenant)
    ids = iter(answered)

    async def ask() -> None:
        for id_ in ids:
            await check(ctx.parts, tenant, Question(meter="requests", id=id_))

    await asyncio.gather(*(ask() for _ in range(CLIENTS)))
    return await _counted(ctx, tenant) - before


async def _counted(ctx: Context, tenant: str) -> int:
    names = await ctx.db.scan(keys.total(tenant, "requests", "2000-01").replace("2000-01", "*"))
    return sum([int(await ctx.db.call("HGET", name, "sum")) for name in names])
