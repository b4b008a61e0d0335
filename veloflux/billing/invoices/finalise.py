"""A draft becomes final: usage is closed first, then read and priced, so that nothing comes between.

What comes later is on the next invoice of the subscription, as the difference that it makes.
"""

from veloflux.billing import agenda, store
from veloflux.billing.agenda import Item
from veloflux.billing.basis import read_basis
from veloflux.billing.invoices.drafting import FINALISE, with_usage
from veloflux.billing.invoices.issue import issue
from veloflux.billing.model import Invoice
from veloflux.context import Context
from veloflux.db import keys
from veloflux.events import InvoiceDiscarded
from veloflux.transaction import Transaction


async def finalise(ctx: Context, item: Item) -> None:
    """What is due when the time for late usage is over."""
    invoice = await store.find_invoice(ctx.db, ctx.tenant, item.subject)
    if invoice is None or invoice.status != "draft":
        await agenda.correct(ctx, item, None, keys.invoice(ctx.tenant, item.subject), invoice)
        return
    sub, basis = await store.subscription(ctx, invoice.subscription), await read_basis(ctx)
    draft, settled = await with_usage(ctx, basis, invoice, sub)
    tx = Transaction(ctx, ctx.tenant)
    agenda.take(tx, FINALISE, invoice.id)
    if draft.lines:
        final, changed = await issue(ctx, tx, basis, draft, settled)
        tx.change(keys.invoice(ctx.tenant, invoice.id), invoice, final)
        settled = changed or settled
    else:
        discard(ctx, tx, invoice)
    if settled != sub:
        tx.change(keys.subscription(ctx.tenant, sub.id), sub, settled)
    await tx.commit()


def discard(ctx: Context, tx: Transaction, invoice: Invoice) -> None:
    """Take away a draft that has nothing to say: it had no number."""
    tx.remove(keys.invoice(ctx.tenant, invoice.id), invoice)
    tx.unrank(keys.invoices(ctx.tenant), invoice.id)
    tx.event(InvoiceDiscarded(invoice=invoice.id))
