"""Invoices closed by one worker: periods of a thousand tenants end at once; usage is read, ten lines priced, the ledger
posted, the next period begun. The ceiling is bare commits on the same server, of which a closing takes four.

What followed from the beginning of the subscriptions is done before the periods end, and is not measured.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec.structs import replace

from bench.commit import CLIENTS, change
from bench.report import Row
from bench.stage import Stage, stage, used_memory
from bench.ten_lines import PLAN, SUMS, ten_lines
from veloflux import ledger, process, tenants
from veloflux.billing.subscriptions.start import Start, start
from veloflux.context import Context
from veloflux.db import due, keys
from veloflux.kit import clock, ids
from veloflux.kit.clock import DAY_MS
from veloflux.metering import Event, record
from veloflux.plans import Catalogue
from veloflux.tenants import EVERYTHING
from veloflux.worker import TABLES, Pace, Worker

TENANTS = 1_000
COMMITS = 10_000
WEEKS = 4
LEAD_MS = 10_000
LEAD_OF_EACH_MS = 60
"""So long before their periods end the tenants are made, so that all are there by then."""


async def measure() -> list[Row]:
    async with stage(invoice_grace_hours=0) as target:
        await tenants.apply_catalogue(target.ctx, _every_four_weeks())
        commits = await _commits(target)
        end = (clock.now_ms() + LEAD_MS + TENANTS * LEAD_OF_EACH_MS) // 1000 * 1000
        everyone = await _begun(target.ctx, end)
        before = await used_memory(target.ctx)
        await asyncio.sleep((end - clock.now_ms()) / 1000)
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


async def _begun(ctx: Context, end: int) -> list[Context]:
    """The tenants, whose periods end then; a worker has done all else that is due by now."""
    async with _working(ctx):
        began = end - WEEKS * 7 * DAY_MS
        everyone = await asyncio.gather(*(_subscribed(ctx, number, began) for number in range(TENANTS)))
        while any(at < end for _, at in await due.first_members(ctx.db)):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert clock.now_ms() < end, "the machine is too slow for the time that the preparation has"
    return everyone


async def _closed(ctx: Context, everyone: list[Context]) -> float:
    """Seconds in which a worker closes the periods of all."""
    process.spare_collector()  # as a worker's own process does, and here for what is the bench's
    began = time.perf_counter()
    async with _working(ctx):
        for one in everyone:
            await _closed_one(one)
        took = time.perf_counter() - began
    drift = [await ledger.read_balances(one.db, one.tenant) for one in everyone[:10]]
    assert all(sum(balances.values()) == 0 for balances in drift), "the ledger sums to zero"
    return took


@asynccontextmanager
async def _working(ctx: Context) -> AsyncIterator[None]:
    stop = asyncio.Event()
    running = asyncio.create_task(Worker(ctx.parts, TABLES, Pace()).run(stop))
    try:
        yield
    finally:
        stop.set()
        await running


async def _closed_one(ctx: Context) -> None:
    """Wait for a tenant's second invoice: the first was of the start."""
    while await ctx.db.call("HGET", keys.invoice_numbers(ctx.tenant), "invoice") != "2":  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def _subscribed(ctx: Context, number: int, began: int) -> Context:
    """A tenant with a subscription that began then, and usage of its first period."""
    await _turn(number)
    tenant = await tenants.create_tenant(ctx, f"Tenant {number}", slug=f"tenant-{number}")
    inside = ctx.within(tenants.scope_of(tenant), EVERYTHING)
    await start(inside.at(began), Start(plan=PLAN))
    data = dict.fromkeys(SUMS, 1000)
    used = [Event(type="http.request", id=ids.new("evt"), at=began + DAY_MS, data=data) for _ in range(3)]
    await record(inside.parts, inside.tenant, used)
    return inside


def _every_four_weeks() -> Catalogue:
    """With a period of the same length whenever it begins."""
    found = ten_lines()
    plans = (replace(one, interval="week", interval_count=WEEKS) if one.id == PLAN else one for one in found.plans)
    return replace(found, plans=tuple(plans))


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
