"""The invoice that a step of a subscription brings: at once where everything is known, else a draft.

Its id follows from the subscription and from what it is for, so that there can be no second one.
"""

from typing import Literal

import msgspec

from veloflux.billing import agenda
from veloflux.billing.agenda import Item
from veloflux.billing.basis import Basis
from veloflux.billing.issue import issue
from veloflux.billing.lines import Line
from veloflux.billing.model import Invoice, Phase, Subscription
from veloflux.context import Context
from veloflux.db import keys
from veloflux.events import InvoiceDrafted
from veloflux.kit import ids
from veloflux.transaction import Transaction

FINALISE = "finalise"
HOUR_MS = 3_600_000
Reason = Literal["period", "start", "change", "end"]


def invoice_of(
    ctx: Context, sub: Subscription, reason: Reason, lines: tuple[Line, ...], phases: tuple[Phase, ...] = ()
) -> Invoice:
    """A draft of what a step brings now; `phases` are those whose usage is to be read when it becomes final."""
    start, end = (phases[0].start, phases[-1].end or ctx.now()) if phases else (sub.period_start, sub.period_end)
    return Invoice(
        id=ids.derived("inv", sub.id, reason, str(ctx.now())),
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


async def put_invoice(
    ctx: Context, tx: Transaction, basis: Basis, sub: Subscription, reason: Reason, lines: tuple[Line, ...]
) -> Subscription:
    """Part of a commit: issue what a step brings, with what waited for it; nothing where there is nothing to say."""
    draft = invoice_of(ctx, sub, reason, lines)
    if not draft.lines:
        return sub
    invoice, changed = await issue(ctx, tx, basis, draft, sub)
    write(ctx, tx, invoice)
    assert changed
    return msgspec.structs.replace(changed, waiting=())


def put_draft(ctx: Context, tx: Transaction, draft: Invoice) -> None:
    """Part of the commit that closes a period: its invoice waits for late usage."""
    draft = msgspec.structs.replace(draft, final_at=ctx.now() + ctx.settings.invoice_grace_hours * HOUR_MS)
    write(ctx, tx, draft)
    agenda.put(ctx, tx, Item(FINALISE, draft.id, draft.final_at))
    tx.event(InvoiceDrafted(invoice=draft.id, final_at=draft.final_at))


def write(ctx: Context, tx: Transaction, invoice: Invoice) -> None:
    """A new invoice, and its place in the list."""
    tx.create(keys.invoice(ctx.tenant, invoice.id), invoice)
    tx.rank(keys.invoices(ctx.tenant), invoice.id, invoice.created_at)
