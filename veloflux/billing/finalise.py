"""A draft becomes final: usage is closed first, then read and priced, so that nothing comes between.

What comes later is on the next invoice of the subscription, as the difference that it makes.
"""

from msgspec.structs import replace

from veloflux import metering
from veloflux.billing import agenda, store
from veloflux.billing.agenda import Item
from veloflux.billing.basis import read_basis
from veloflux.billing.invoice_usage import usage_of
from veloflux.billing.invoicing import FINALISE
from veloflux.billing.issue import issue
from veloflux.billing.model import Invoice
from veloflux.context import Context
from veloflux.db import commit, keys
from veloflux.events import InvoiceDiscarded
from veloflux.transaction import Transaction


async def finalise(ctx: Context, item: Item) -> None:
    """What is due when the time for late usage is over."""
    invoice = await store.find_invoice(ctx.db, ctx.tenant, item.subject)
    if invoice is None or invoice.status != "draft":
        await agenda.correct(ctx, item, None)
        return
    await _close_usage(ctx, invoice)
    sub, basis = await store.subscription(ctx, invoice.subscription), await read_basis(ctx)
    usage = await usage_of(ctx, basis, sub, invoice)
    tx = Transaction(ctx, ctx.tenant)
    agenda.take(tx, FINALISE, invoice.id)
    draft, settled = replace(invoice, lines=(*usage.lines, *invoice.lines)), sub
    if draft.lines:
        final, changed = await issue(ctx, tx, basis, draft, sub)
        tx.change(keys.invoice(ctx.tenant, invoice.id), invoice, final)
        settled = changed or sub
    else:
        discard(ctx, tx, invoice)
    settled = replace(settled, late_billed=usage.late_billed)
    if settled != sub:
        tx.change(keys.subscription(ctx.tenant, sub.id), sub, settled)
    await tx.commit()


def discard(ctx: Context, tx: Transaction, invoice: Invoice) -> None:
    """Take away a draft that has nothing to say: it had no number."""
    tx.remove(keys.invoice(ctx.tenant, invoice.id), invoice)
    tx.unrank(keys.invoices(ctx.tenant), invoice.id)
    tx.event(InvoiceDiscarded(invoice=invoice.id))


async def _close_usage(ctx: Context, invoice: Invoice) -> None:
    """From this commit on nothing is added to what the invoice is of: it is read after it."""
    closing = commit.Commit(ctx.tenant)
    await metering.close_through(ctx.db, closing, ctx.tenant, invoice.period_end)
    if closing.writes:
        await commit.run(ctx.db, closing)
