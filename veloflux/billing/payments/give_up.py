"""Nobody paid an invoice for good: its subscription is past due, and what the tenant's profile says is done.

What was done ends with the payment, see `settle.py`; but a subscription that expired stays so, until it is reactivated.
"""

from msgspec.structs import replace

from veloflux import tenants
from veloflux.billing import agenda, store
from veloflux.billing.basis import Basis, read_basis
from veloflux.billing.invoices.drafting import put_invoice
from veloflux.billing.model import Invoice, Subscription
from veloflux.billing.payments.dunning_mails import mail
from veloflux.billing.payments.settle import COLLECT, UNPAID
from veloflux.billing.states import ENDED, SUBSCRIPTION, move, possible
from veloflux.billing.subscriptions.cancel import ended
from veloflux.billing.subscriptions.close_period import over, write
from veloflux.context import Context
from veloflux.db import keys
from veloflux.events import InvoiceOverdue, SubscriptionEnded, SubscriptionPastDue
from veloflux.transaction import Transaction


async def give_up(ctx: Context, invoice: Invoice) -> None:
    """All tries to collect it failed, and the days of grace are over."""
    basis, tx = await read_basis(ctx), Transaction(ctx, ctx.tenant)
    tx.expect(keys.invoice(ctx.tenant, invoice.id), "version", str(invoice.version))
    agenda.take(tx, COLLECT, invoice.id)
    tx.rank(keys.overdue(ctx.tenant), invoice.id, ctx.now())
    tx.event(InvoiceOverdue(invoice=invoice.id))
    done = await _act(ctx, tx, basis, invoice)
    mail(tx, invoice, "unpaid", invoice.attempts + 1, done=done)
    await tx.commit()


async def _act(ctx: Context, tx: Transaction, basis: Basis, invoice: Invoice) -> str:
    """Gives what was done, for the mail."""
    sub = await store.subscription(ctx, invoice.subscription) if invoice.subscription else None
    if sub and basis.profile.when_unpaid == "cancel" and sub.status not in ENDED:
        await _expire(ctx, tx, basis, sub)
        return "cancelled"
    if sub and "payment_failed_for_good" in possible(SUBSCRIPTION, sub.status):
        status = move(SUBSCRIPTION, sub.status, "payment_failed_for_good")
        if status != sub.status:
            tx.change(keys.subscription(ctx.tenant, sub.id), sub, replace(sub, status=status))
        tx.event(SubscriptionPastDue(subscription=sub.id, invoice=invoice.id))
    if basis.profile.when_unpaid == "suspend" and basis.tenant.status == "active":
        tenants.put_suspended(tx, basis.tenant, f"{UNPAID}{invoice.number} ({invoice.id})")
        return "suspended"
    return ""


async def _expire(ctx: Context, tx: Transaction, basis: Basis, sub: Subscription) -> None:
    """Without a credit for the rest of the period: that was not paid."""
    step = over(ended(ctx, basis, sub, credit_unused=False), "expire", ctx.now())
    after = await put_invoice(ctx, tx, basis, step, "end")
    await write(ctx, tx, basis, sub, after)
    tx.event(SubscriptionEnded(subscription=sub.id, status="expired"))
