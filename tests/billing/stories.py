"""A sandbox tenant with a clock, and what each story about its invoices begins and ends with."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from tests.customers import customer
from veloflux import billing, ledger, tenants
from veloflux.billing import store
from veloflux.billing.documents_say import documents_say
from veloflux.billing.model import Invoice, Subscription
from veloflux.billing.payments.sandbox import SandboxPayments
from veloflux.billing.profile import ProfileTerms, set_profile
from veloflux.billing.subscriptions.items import ItemsInvoice, OneOff, invoice_items
from veloflux.billing.subscriptions.start import Start, start
from veloflux.context import Context
from veloflux.ledger.check import check_ledger
from veloflux.tenants import RecordChange

JANUARY = "2026-01-10T12:00"


def ms(text: str, zone: str = "America/Sao_Paulo") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


async def acme(ctx: Context, at: str = JANUARY, *, payments: str = "", **profile: Any) -> Context:
    """A sandbox tenant at a time; `payments` is how its provider behaves, "" gives it none."""
    if payments:
        parts = msgspec.structs.replace(ctx.parts, sandbox_payments=SandboxPayments(ctx.db))
        ctx = msgspec.structs.replace(ctx, parts=parts)
    inside = await moved(await customer(ctx), at)
    record = RecordChange(billing_email="finance@acme.example", metadata={"payments": payments})
    await tenants.change_record(inside, record)
    if profile:
        await set_profile(inside, ProfileTerms(**profile))
    return inside


async def moved(ctx: Context, at: str) -> Context:
    """The tenant when its clock shows a time, and all that was due until then is done."""
    tenant = await tenants.set_clock(ctx, "stopped", ms(at))
    ctx = ctx.within(tenants.scope_of(tenant), ctx.permissions)
    await billing.advance(ctx)
    return ctx


async def behaves(ctx: Context, payments: str) -> None:
    """From now on its provider of payments does."""
    await tenants.change_record(ctx, RecordChange(metadata={"payments": payments}))


async def pro(ctx: Context, **terms: Any) -> tuple[Subscription, Invoice]:
    """A new subscription to Pro for 149.00 a month, and its first invoice."""
    sub = await start(ctx, Start(plan="pro", **terms))
    (invoice,) = await invoices(ctx)
    return sub, invoice


async def item(ctx: Context, price: str = "100", **terms: Any) -> Invoice:
    """An invoice of one item."""
    return await invoice_items(ctx, ItemsInvoice(items=(OneOff(name="Training", price=price, **terms),)))


async def invoices(ctx: Context) -> list[Invoice]:
    """The newest first."""
    return [one async for one in store.every_invoice(ctx.db, ctx.tenant)]


async def balances(ctx: Context, currency: str = "BRL") -> dict[str, int]:
    """What accounts hold, in minor units; those with nothing are left out."""
    found = await ledger.read_balances(ctx.db, ctx.tenant)
    return {account.name: amount for account, amount in found.items() if account.currency == currency}


async def events(ctx: Context) -> list[str]:
    """The names of all events of the tenant, the oldest first."""
    from veloflux.db import streams

    return [event.name for event in await streams.after(ctx.db, ctx.tenant, "", 10_000)]


async def prove(ctx: Context) -> None:
    """The ledger is right, and says what the documents say."""
    checked = await check_ledger(ctx.db, ctx.tenant, await documents_say(ctx.db, ctx.tenant))
    assert checked.wrong == ()
