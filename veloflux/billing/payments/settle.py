"""An invoice after something was paid or taken back of it; and what follows when nothing of it is due any more."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from veloflux import tenants
from veloflux.billing import agenda, store
from veloflux.billing.model import Invoice, Subscription
from veloflux.billing.states import INVOICE, SUBSCRIPTION, move
from veloflux.context import Context
from veloflux.db import keys
from veloflux.events import InvoicePaid, SubscriptionPaid
from veloflux.transaction import Transaction

COLLECT = "collect"
UNPAID = "Unpaid invoice "
"""How the reason begins for which a tenant is suspended that does not pay; then comes the invoice."""
PAYABLE = ("open", "uncollectible")
Changes = Callable[[Subscription], Subscription]


async def put(
    ctx: Context, tx: Transaction, before: Invoice, after: Invoice, changes: Changes = lambda sub: sub
) -> Invoice:
    """Part of a commit: the invoice, which is paid when nothing is left of it; then nobody chases it any more, and what
    was done because nobody paid ends. `changes` is what else becomes of its subscription."""
    if before.status in PAYABLE and after.status == before.status and not after.left:
        after = replace(after, status=move(INVOICE, before.status, "pay"), settled_at=ctx.now())
        tx.event(InvoicePaid(invoice=after.id))
    await follow(ctx, tx, after, changes, resumes=True)
    return tx.change(keys.invoice(ctx.tenant, before.id), before, after)


async def follow(ctx: Context, tx: Transaction, invoice: Invoice, changes: Changes, *, resumes: bool) -> None:
    """Part of a commit: what follows for the subscription, and for the tenant if it `resumes`."""
    is_over = invoice.status != "open"
    others = await _end_dunning(ctx, tx, invoice) if is_over else []
    if invoice.subscription:
        await _change(ctx, tx, invoice, changes, is_paid=is_over and invoice.subscription not in others)
    if is_over and resumes and not others:
        tenant = await tenants.find(ctx, ctx.tenant)
        if tenant.suspended_for.startswith(UNPAID):
            tenants.put_resumed(tx, tenant)


async def _end_dunning(ctx: Context, tx: Transaction, invoice: Invoice) -> Sequence[str]:
    """Gives the subscriptions of the tenant's other invoices that are overdue; "" where one has none."""
    tx.unrank(keys.overdue(ctx.tenant), invoice.id)
    if not invoice.charging:
        agenda.take(tx, COLLECT, invoice.id)
    others = [one for one in await store.overdue(ctx.db, ctx.tenant) if one.id != invoice.id]
    for one in others:  # whoever settles another one meanwhile must not leave it to us, as we would to them
        tx.expect(keys.invoice(ctx.tenant, one.id), "version", str(one.version))
    return [one.subscription for one in others]


async def _change(ctx: Context, tx: Transaction, invoice: Invoice, changes: Changes, *, is_paid: bool) -> None:
    sub = await store.subscription(ctx, invoice.subscription)
    changed = changes(sub)
    if is_paid and changed.status == "past_due":
        changed = replace(changed, status=move(SUBSCRIPTION, changed.status, "paid"))
        tx.event(SubscriptionPaid(subscription=sub.id))
    if changed != sub:
        tx.change(keys.subscription(ctx.tenant, sub.id), sub, changed)
