"""Invoices closed by one worker: periods of a thousand tenants have ended; usage is read, ten lines priced, the ledger
posted, the next period begun. The ceiling is bare commits on the same server, of which a closing takes three."""

import asyncio
import time

from bench.commit import CLIENTS, change
from bench.report import Row
from bench.stage import Stage, stage, used_memory
from bench.ten_lines import PLAN, SUMS, ten_lines
from veloflux import ledger, tenants
from veloflux.billing.subscriptions.start import Start, start
from veloflux.context import Context
from veloflux.db import keys
from veloflux.kit import clock, ids
from veloflux.kit.clock import DAY_MS
from veloflux.metering import Event, record
from veloflux.tenants import EVERYTHING
from veloflux.worker import TABLES, Pace, Worker

TENANTS = 1_000
COMMITS = 10_000
AGO_MS = 32 * DAY_MS
"""When the subscriptions began, so that a month of each is over."""


async def measure() -> list[Row]:
    async with stage(invoice_grace_hours=0) as target:
        await tenants.apply_catalogue(target.ctx, ten_lines())
        commits = await _commits(target)
        everyone = await asyncio.gather(*(_subscribed(target.ctx, number) for number in range(TENANTS)))
        before = await used_memory(target.ctx)
        seconds = await _closed(target.ctx, everyone)
        grown = await used_memory(target.ctx) - before
    return [
        Row(
            what=f"invoices closed by one worker: {TENANTS:,} tenants, ten lines each",
            script="closing.py",
            figure=TENANTS / seconds,
            unit="invoices/s",
            ceiling=commits,
            ceiling_is="bare commits",
            least=1_000,
            notes=f"{grown / TENANTS / 1024:.1f} KiB of Redis an invoice, with its postings and events",
        )
    ]


async def _closed(ctx: Context, everyone: list[Context]) -> float:
    """Seconds in which a worker closes the periods of all."""
    worker, stop = Worker(ctx.parts, TABLES, Pace()), asyncio.Event()
    began = time.perf_counter()
    running = asyncio.create_task(worker.run(stop))
    for one in everyone:
        await _closed_one(one)
    took = time.perf_counter() - began
    stop.set()
    await running
    drift = [await ledger.read_balances(one.db, one.tenant) for one in everyone[:10]]
    assert all(sum(balances.values()) == 0 for balances in drift), "the ledger sums to zero"
    return took


async def _closed_one(ctx: Context) -> None:
    """Wait for a tenant's second invoice: the first was of the start."""
    while await ctx.db.call("HGET", keys.invoice_numbers(ctx.tenant), "invoice") != "2":  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def _subscribed(ctx: Context, number: int) -> Context:
    """A tenant with a subscription whose first month is over, and usage of it."""
    await _turn(number)
    tenant = await tenants.create_tenant(ctx, f"Tenant {number}", slug=f"tenant-{number}")
    inside = ctx.within(tenants.scope_of(tenant), EVERYTHING)
    began = clock.now_ms() - AGO_MS
    await start(inside.at(began), Start(plan=PLAN))
    data = dict.fromkeys(SUMS, 1000)
    used = [Event(type="http.request", id=ids.new("evt"), at=began + DAY_MS, data=data) for _ in range(3)]
    await record(inside.parts, inside.tenant, used)
    return inside


async def _turn(number: int) -> None:
    """So many begin at a time."""
    await asyncio.sleep(number // CLIENTS * 0.05)


async def _commits(target: Stage) -> float:
    left = iter(range(COMMITS))

    async def work() -> None:
        for _ in left:
            await change(target).commit()

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(CLIENTS)))
    return COMMITS / (time.perf_counter() - began)
