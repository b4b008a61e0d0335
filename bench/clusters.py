"""Checks on clusters of one, three and six masters, with one, ten and a thousand tenants.

One process asks, and everything shares the machine: the rate says what two cores give, not how a cluster grows. That is
said by what the masters do: how evenly the calls fall on them, that none crosses slots, and the processor time of a
master for one check, which bounds what a master can reach.
"""

import asyncio
import itertools
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.report import Row
from bench.stage import lift_limits
from tests.servers import Server, cluster
from veloflux import tenants, wiring
from veloflux.context import Actor, Context
from veloflux.limits import Question, check
from veloflux.settings import Settings
from veloflux.tenants import EVERYTHING

CLUSTERS, TENANTS = (1, 3, 6), (1, 10, 1_000)
CHECKS, CLIENTS, AT_ONCE = 20_000, 64, 16


class Share(msgspec.Struct, frozen=True):
    """What the masters did: calls of scripts on the busiest and the idlest, errors of slots."""

    most: int
    least: int
    crossed: int


async def measure() -> list[Row]:
    return [row for masters in CLUSTERS for row in await _of_cluster(masters)]


async def _of_cluster(masters: int) -> list[Row]:
    with cluster(masters, replicas=False) as nodes, tempfile.TemporaryDirectory() as folder:
        settings = Settings(redis_url=nodes[0].url, data_dir=Path(folder), redis_unsafe=True, check_timeout_ms=5_000)
        async with wiring.build(settings) as parts:
            ctx = Context(parts=parts, actor=Actor(id="cli:bench"))
            made = await _customers(ctx, max(TENANTS))
            return [await _row(nodes, made[:number]) for number in TENANTS]


async def _customers(ctx: Context, number: int) -> list[Context]:
    async def one(at: int) -> Context:
        tenant = await tenants.create_tenant(ctx, f"Bench {at}", plan="enterprise")
        inside = ctx.within(tenants.scope_of(tenant), EVERYTHING)
        await lift_limits(inside)
        return inside

    made: list[Context] = []
    for start in range(0, number, AT_ONCE):
        made += await asyncio.gather(*(one(at) for at in range(start, min(start + AT_ONCE, number))))
    return made


async def _row(nodes: Sequence[Server], customers: Sequence[Context]) -> Row:
    await _ask(customers, len(customers))  # so that every policy is known
    for node in nodes:
        node.client.config_resetstat()
    before = _busy_s(nodes)
    rate = await _ask(customers, CHECKS)
    share, micros = _share(nodes), (_busy_s(nodes) - before) * 1e6 / CHECKS
    return Row(
        what=f"check, masters: {len(nodes)}, tenants: {len(customers):,}, 64 concurrent in one process, kept in memory",
        script="clusters.py",
        figure=rate,
        unit="checks/s",
        notes=f"calls a master {share.least:,} to {share.most:,}, {share.crossed} across slots; {micros:.0f} µs "
        f"of a master's processor for a check: at most {1e6 / micros:,.0f}/s on one",
    )


async def _ask(customers: Sequence[Context], number: int) -> float:
    turns = iter(itertools.islice(itertools.cycle(customers), number))

    async def some() -> None:
        for ctx in turns:
            assert (await check(ctx.parts, ctx.tenant, Question(meter="requests"))).allowed

    began = time.perf_counter()
    await asyncio.gather(*(some() for _ in range(CLIENTS)))
    return number / (time.perf_counter() - began)


def _busy_s(nodes: Sequence[Server]) -> float:
    """Processor seconds of the servers' main threads until now."""
    infos = [node.client.info("cpu") for node in nodes]
    return sum(float(one[f"used_cpu_{kind}_main_thread"]) for one in infos for kind in ("user", "sys"))


def _share(nodes: Sequence[Server]) -> Share:
    stats = [node.client.info("commandstats").get("cmdstat_evalsha", {"calls": 0}) for node in nodes]
    errors = [node.client.info("errorstats") for node in nodes]
    calls = [int(one["calls"]) for one in stats]
    return Share(
        most=max(calls),
        least=min(calls),
        crossed=sum(int(one.get("errorstat_CROSSSLOT", {"count": 0})["count"]) for one in errors),
    )
