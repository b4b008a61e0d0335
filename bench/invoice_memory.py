"""What a year takes of Redis of a tenant with one subscription: each month three events of six meters, and an invoice
of ten lines, which is collected. What the worker does is done at once, as after an outage.

Not counted is what is gone after ten minutes, the answers to a repeated commit, and what the fake provider of payments
keeps for itself. The notes name the kinds of keys that take most, in KiB by MEMORY USAGE.
"""

from collections import Counter

from bench.report import Row
from bench.stage import stage, used_memory
from bench.ten_lines import PLAN, SUMS, ten_lines
from tests.at_rest import reach
from veloflux import tenants
from veloflux.billing import store
from veloflux.billing.subscriptions.start import Start, start
from veloflux.context import Context
from veloflux.db import keys
from veloflux.kit import clock, ids
from veloflux.kit.clock import DAY_MS
from veloflux.metering import Event, record
from veloflux.tenants import EVERYTHING

TENANTS = 50
MONTHS = 12
AGO_MS = 372 * DAY_MS
"""When the subscriptions began: twelve months are over, and the days that invoices wait for late usage."""
UNCOUNTED = ("done", "charges")
NAMED = 8
"""So many kinds of keys are named, those that grow most."""


async def measure() -> list[Row]:
    async with stage("everysec", sandbox_payments=True) as target:
        ctx = target.ctx
        await tenants.apply_catalogue(ctx, ten_lines())
        await _billed(await _begun(ctx, 1))  # from here on the server knows all scripts
        empty = await _used(ctx)
        everyone = await _begun(ctx, TENANTS)
        before, kinds = await _used(ctx), await _kinds(everyone)
        await _billed(everyone)
        after, grown = await _used(ctx), await _kinds(everyone) - kinds
    share = 1024 * TENANTS
    return [
        Row(
            what=f"memory of a tenant with one subscription and {MONTHS} invoices of ten lines",
            script="invoice_memory.py",
            figure=(after - empty) / share,
            unit="KiB",
            notes=f"{(before - empty) / share:.1f} KiB before the first period is closed: {_most(kinds, share)}",
        ),
        Row(
            what="memory by which that grows with an invoice of ten lines, its payment and its postings",
            script="invoice_memory.py",
            figure=(after - before) / share / MONTHS,
            unit="KiB",
            notes=_most(grown, share * MONTHS),
        ),
    ]


async def _begun(ctx: Context, number: int) -> list[Context]:
    """Tenants whose invoices are collected, each with a subscription and a year of usage that is still to be billed."""
    made = [await tenants.create_tenant(ctx, f"Tenant {at} of {number}", mode="sandbox") for at in range(number)]
    await reach(ctx.parts)
    everyone = [ctx.within(tenants.scope_of(tenant), EVERYTHING) for tenant in made]
    for one in everyone:
        await _subscribed(one)
    return everyone


async def _subscribed(ctx: Context) -> None:
    """It has begun a subscription, and used something in each month."""
    began = clock.now_ms() - AGO_MS
    await start(ctx.at(began), Start(plan=PLAN))
    data = dict.fromkeys(SUMS, 1000)
    times = [began + (15 + 30 * month) * DAY_MS for month in range(MONTHS) for _ in range(3)]
    used = [Event("http.request", ids.new("evt"), at, data=data) for at in times]
    assert (await record(ctx.parts, ctx.tenant, used, backfill=True)).accepted == len(used)


async def _billed(everyone: list[Context]) -> None:
    """The year is billed and paid."""
    await reach(everyone[0].parts)
    for one in everyone:
        found = [bill async for bill in store.every_invoice(one.db, one.tenant) if bill.reason == "period"]
        assert [(bill.status, len(bill.lines)) for bill in found] == [("paid", 10)] * MONTHS


async def _used(ctx: Context) -> int:
    """Bytes in use, when what is not counted is gone."""
    for key in await ctx.db.scan("vf:*"):
        if _kind(key) in UNCOUNTED:
            await ctx.db.call("DEL", key)
    return await used_memory(ctx)


async def _kinds(everyone: list[Context]) -> Counter[str]:
    """Bytes of all keys of tenants by MEMORY USAGE, by what they are."""
    sizes: Counter[str] = Counter()
    for one in everyone:
        for key in await one.db.scan(f"{keys.tenant(one.tenant)}*"):
            sizes[_kind(key)] += sum(await one.db.every_master("MEMORY", "USAGE", key, "SAMPLES", "0"))
    return sizes


def _kind(key: str) -> str:
    entry = keys.entry_of(key)
    assert entry, key
    return entry.name


def _most(kinds: Counter[str], share: int) -> str:
    """The kinds of keys that take most, in KiB of each tenant or invoice."""
    return ", ".join(f"{name} {size / share:.2f}" for name, size in kinds.most_common(NAMED))
