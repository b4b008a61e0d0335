"""The invoice that a step of a subscription brings: at once where everything is known, else a draft.

Its id follows from the subscription, the version of it that the step was taken from, and what it is for, so that there
can be no second one; several may be of one moment, where a clock stands still.
"""

from msgspec.structs import replace

from veloflux import metering
from veloflux.billing import agenda
from veloflux.billing.agenda import Item
from veloflux.billing.arithmetic.cycle import Step
from veloflux.billing.basis import Basis
from veloflux.billing.invoices.issue import issue
from veloflux.billing.invoices.usage import still_open, usage_of
from veloflux.billing.model import Invoice, Reason, Subscription
from veloflux.context import Context
from veloflux.db import commit, keys
from veloflux.events import InvoiceDrafted
from veloflux.kit import ids
from veloflux.transaction import Transaction

FINALISE = "finalise"
HOUR_MS = 3_600_000


def invoice_of(ctx: Context, step: Step, reason: Reason) -> Invoice:
    """A draft of what a step brings now, and of what waited; the usage of its phases is read when it is final."""
    sub, lines, phases = step
    start, end = (phases[0].start, ctx.now()) if phases else (sub.period_start, sub.period_end)
    return Invoice(
        id=ids.derived("inv", sub.id, reason, str(ctx.now()), str(sub.version)),
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
    """Part of a commit: what a step brings is invoiced, nothing where there is nothing to say. Where usage is to be
    priced it is a draft, which waits for what comes late, unless nothing is waited for. Gives the subscription, for
    which nothing waits then."""
    draft, sub = invoice_of(ctx, step, reason), step.subscription
    if draft.phases and sub.metered:
        if ctx.settings.invoice_grace_hours:
            put_draft(ctx, tx, draft)
            return replace(sub, waiting=())
        draft, sub = await with_usage(ctx, basis, draft, sub)
    if not draft.lines:
        return sub
    invoice, changed = await issue(ctx, tx, basis, draft, sub)
    write(ctx, tx, invoice)
    assert changed
    return replace(changed, waiting=())


async def with_usage(ctx: Context, basis: Basis, draft: Invoice, sub: Subscription) -> tuple[Invoice, Subscription]:
    """A draft with its usage, and the subscription, which knows what of late usage is billed by it. The usage is closed
    before it is read: from that commit on nothing is added to it."""
    closing = commit.Commit(ctx.tenant)
    await metering.close_through(ctx.db, closing, ctx.tenant, draft.period_end)
    if closing.writes:
        await commit.run(ctx.db, closing)
    return await add_usage(ctx, basis, draft, sub)


async def add_usage(ctx: Context, basis: Basis, draft: Invoice, sub: Subscription) -> tuple[Invoice, Subscription]:
    """The same, as it would be by now."""
    usage = await usage_of(ctx, basis, sub, draft)
    lines = (*usage.lines, *draft.lines)
    idle = sub.idle if lines else still_open((*sub.idle, *draft.phases), draft.period_end)
    return replace(draft, lines=lines), replace(sub, late_billed=usage.late_billed, idle=idle)


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
