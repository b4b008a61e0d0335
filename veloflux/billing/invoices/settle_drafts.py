"""What was paid for a running period must be known before some of it is credited.

A coupon that takes an amount off is spread over all that an invoice charges, usage too. Where there is one, drafts do
not wait for late usage any longer; that is on the next invoice then.
"""

from collections.abc import AsyncIterator

from msgspec.structs import replace

from veloflux.billing import store
from veloflux.billing.agenda import Item
from veloflux.billing.basis import Basis
from veloflux.billing.invoices.drafting import FINALISE, add_usage
from veloflux.billing.invoices.finalise import finalise
from veloflux.billing.invoices.issue import composed, settled_with
from veloflux.billing.model import Invoice, Subscription
from veloflux.context import Context


async def settle_drafts(ctx: Context, basis: Basis, sub: Subscription) -> bool:
    """Whether a draft became final: then the subscription is another one by now."""
    settled = False
    async for item, _ in _unsettled(ctx, basis, sub):
        await finalise(ctx, item)
        settled = True
    return settled


async def as_settled(ctx: Context, basis: Basis, sub: Subscription) -> Subscription:
    """The subscription as it would be then, without writing anything."""
    async for _, invoice in _unsettled(ctx, basis, sub):
        draft, sub = await add_usage(ctx, basis, invoice, sub)
        document, _lack = composed(basis, draft, sub)
        sub = settled_with(sub, replace(draft, lines=document.lines, totals=document.totals))
    return sub


async def _unsettled(ctx: Context, basis: Basis, sub: Subscription) -> AsyncIterator[tuple[Item, Invoice]]:
    """Drafts from which a coupon of the subscription takes an amount."""
    amounts = {coupon.id for coupon in basis.catalogue.coupons if coupon.percent is None}
    if not any(one.coupon in amounts for one in sub.coupons):
        return
    for id_, due in await store.planned(ctx.db, ctx.tenant, FINALISE):
        invoice = await store.find_invoice(ctx.db, ctx.tenant, id_)
        if invoice and invoice.subscription == sub.id and invoice.status == "draft":
            yield Item(FINALISE, id_, due), invoice
