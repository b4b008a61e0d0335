"""A tenant that was billed."""

from typing import NamedTuple

from tests.customers import of
from veloflux import tenants
from veloflux.billing import advance, store
from veloflux.billing.model import CreditNote, Invoice
from veloflux.billing.subscriptions.cancel import cancel
from veloflux.billing.subscriptions.start import Start, start
from veloflux.context import Context
from veloflux.kit.clock import DAY_MS
from veloflux.tenants.record import RecordChange


class Billed(NamedTuple):
    """Its first invoice, to be paid, and the credit note that came later."""

    invoice: Invoice
    credit_note: CreditNote


async def invoiced(ctx: Context) -> Invoice:
    """What a tenant has that begins to pay."""
    await start(ctx, Start(plan="pro"))
    return (await store.invoices(ctx.db, ctx.tenant, "", 1)).items[0]


async def billed(ctx: Context) -> Billed:
    """What a tenant has that began to pay and cancelled at once."""
    sub = await start(ctx, Start(plan="pro"))
    invoice = (await store.invoices(ctx.db, ctx.tenant, "", 1)).items[0]
    await cancel(ctx, sub.id, now=True)
    await advance(ctx.at(ctx.now() + DAY_MS))  # its last usage is final then
    return Billed(invoice, (await store.credit_notes(ctx.db, ctx.tenant, "", 1)).items[0])


async def recorded(ctx: Context, **fields: str) -> Context:
    """The same tenant, which has said who it is."""
    await tenants.change_record(ctx, RecordChange(**fields))
    return of(ctx, await tenants.find(ctx, ctx.tenant))
