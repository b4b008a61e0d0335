"""The invoice that a step of a subscription brings: at once where everything is known, else a draft.

Its id follows from the subscription, its version and what it is for, so that there can be no second one; where a clock
stands still, the version tells one change from the next.
"""

from typing import Literal

from msgspec.structs import replace

from veloflux.billing import agenda
from veloflux.billing.agenda import Item
from veloflux.billing.basis import Basis
from veloflux.billing.cycle import Step
from veloflux.billing.issue import issue
from veloflux.billing.model import Invoice, Subscription
from veloflux.context import Context
from veloflux.db import keys
from veloflux.events import InvoiceDrafted
from veloflux.kit import ids
from veloflux.transaction import Transaction

FINALISE = "finalise"
HOUR_MS = 3_600_000
Reason = Literal["period", "start", "change", "end"]


def invoice_of(ctx: Context, step: Step, reason: Reason) -> Invoice:
    """A draft of what a step brings now, and of what waited; the usage of its phases is read when it is final."""
    sub, lines, phases = step
    start, end = (phases[0].start, ctx.now()) if phases else (sub.period_start, sub.period_end)
    return Invoice(
        id=ids.derived("inv", sub.id, str(sub.version), reason, str(ctx.now())),
        subscription=sub.id,
        reason=reason,
        currency=sub.currency,
        period_start=start,
        period_end=end,
        phases=phases,
        lines=(*lines, *sub.waiting),
        final_at=ctx.now(),
        created_at=ctx.now(),
    )


async def put_invoice(ctx: Context, tx: Transaction, basis: Basis, step: Step, reason: Reason) -> Subscription:
    """Part of a commit: what a step brings is invoiced, nothing where there is nothing to say. Where usage is still to
    be priced it is a draft, which waits for what comes late. Gives the subscription, for which nothing waits then."""
    draft = invoice_of(ctx, step, reason)
    if _has_usage(basis, draft):
        put_draft(ctx, tx, draft)
        return replace(step.subscription, waiting=())
    if not draft.lines:
        return step.subscription
    invoice, changed = await issue(ctx, tx, basis, draft, step.subscription)
    write(ctx, tx, invoice)
    assert changed
    return replace(changed, waiting=())


def put_draft(ctx: Context, tx: Transaction, draft: Invoice) -> None:
    """Part of the commit that closes a period: its invoice waits for late usage."""
    draft = replace(draft, final_at=ctx.now() + ctx.settings.invoice_grace_hours * HOUR_MS)
    write(ctx, tx, draft)
    agenda.put(ctx, tx, Item(FINALISE, draft.id, draft.final_at))
    tx.event(InvoiceDrafted(invoice=draft.id, final_at=draft.final_at))


def write(ctx: Context, tx: Transaction, invoice: Invoice) -> None:
    """A new invoice, and its place in the list."""
    tx.create(keys.invoice(ctx.tenant, invoice.id), invoice)
    tx.rank(keys.invoices(ctx.tenant), invoice.id, invoice.created_at)


def _has_usage(basis: Basis, draft: Invoice) -> bool:
    return any(not one.free and basis.offer(one.selection, draft.currency).plan.usage for one in draft.phases)
