"""Usage that comes late for a subscription that does not run, and has no next invoice to be on: what came is invoiced a
month after it stopped, and each month from then on, as long as such usage counts.

Where it runs again by then, its next invoice has it. Any number of workers may do this: the commit expects the
subscription that was read, and that remembers what is billed.
"""

from msgspec.structs import replace

from veloflux.billing import agenda, store
from veloflux.billing.agenda import Item
from veloflux.billing.arithmetic.cycle import Step
from veloflux.billing.basis import read_basis
from veloflux.billing.invoices.drafting import invoice_of, with_usage, write
from veloflux.billing.invoices.issue import issue
from veloflux.billing.invoices.usage import REMEMBERED_MS
from veloflux.billing.model import Invoice, Subscription
from veloflux.billing.states import RUNNING
from veloflux.context import Context
from veloflux.db import keys
from veloflux.kit.clock import DAY_MS
from veloflux.transaction import Transaction

LATE = "late"
EVERY_MS = 30 * DAY_MS


def plan_late(ctx: Context, tx: Transaction, before: Subscription, after: Subscription) -> None:
    """Part of the commit in which a subscription stops, or runs again."""
    if before.status in RUNNING and after.status not in RUNNING and after.metered:
        agenda.put(ctx, tx, Item(LATE, after.id, ctx.now() + EVERY_MS))
    elif before.status not in RUNNING and after.status in RUNNING:
        agenda.take(tx, LATE, after.id)


async def bill_late(ctx: Context, item: Item) -> None:
    """What is due each month: an invoice, if what came late makes a difference."""
    sub, basis = await store.subscription(ctx, item.subject), await read_basis(ctx)
    key, following = keys.subscription(ctx.tenant, sub.id), _following(sub, item)
    if following is None:
        await agenda.correct(ctx, item, None, key, sub)
        return
    draft, settled = await with_usage(ctx, basis, _draft(ctx, sub), sub)
    if not draft.lines:
        await agenda.correct(ctx, item, following, key, sub)
        return
    tx = Transaction(ctx, ctx.tenant)
    invoice, changed = await issue(ctx, tx, basis, _bounded(draft), settled)
    assert changed
    write(ctx, tx, invoice)
    tx.change(key, sub, changed)
    agenda.put(ctx, tx, item._replace(due=following))
    await tx.commit()


def _following(sub: Subscription, item: Item) -> int | None:
    """When to look again; None: it runs, or nothing counts any more that comes now."""
    counts = item.due < sub.period_end + REMEMBERED_MS
    return item.due + EVERY_MS if counts and sub.status not in RUNNING else None


def _draft(ctx: Context, sub: Subscription) -> Invoice:
    """Without what waits for an invoice of the subscription's own."""
    return invoice_of(ctx, Step(sub, ()).alone(), "late")


def _bounded(draft: Invoice) -> Invoice:
    """The same, of the time in which its usage was."""
    return replace(
        draft,
        period_start=min(line.start for line in draft.lines),
        period_end=max(line.end for line in draft.lines),
    )
