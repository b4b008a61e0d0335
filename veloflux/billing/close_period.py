"""A period ends: the next one begins, or the subscription does not go on; the invoice of both waits for late usage.

Any number of workers may close the same period: the commit expects the subscription that was read, and the invoice's id
follows from it, so there is exactly one.
"""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from veloflux.billing import agenda, store
from veloflux.billing.agenda import Item
from veloflux.billing.basis import Basis, read_basis
from veloflux.billing.cycle import end_period, next_span, span_of, start_period
from veloflux.billing.follow import follow, needs_renewal
from veloflux.billing.invoicing import Reason, invoice_of, put_draft, put_invoice
from veloflux.billing.lines import Line
from veloflux.billing.model import Phase, Subscription
from veloflux.billing.states import move
from veloflux.billing.start import CLOSE
from veloflux.context import Context
from veloflux.db import keys
from veloflux.events import SubscriptionEnded, SubscriptionRenewed, TrialEnded
from veloflux.transaction import Transaction


class Closed(NamedTuple):
    """A subscription after a period, what that brings, and the phases whose usage is to be priced."""

    subscription: Subscription
    lines: tuple[Line, ...]
    phases: tuple[Phase, ...]


async def close_period(ctx: Context, item: Item) -> None:
    """What is due at the end of a subscription's period; the context's time is that moment."""
    sub, basis = await store.subscription(ctx, item.subject), await read_basis(ctx)
    closed = rolled(basis, sub)
    tx = Transaction(ctx, ctx.tenant)
    after = await bill(ctx, tx, basis, closed, "period" if closed.subscription.ended_at is None else "end")
    await write(ctx, tx, basis, sub, after)
    if sub.status == "trialing" and after.status == "active":
        tx.event(TrialEnded(subscription=sub.id))
    if after.ended_at is None:
        tx.event(SubscriptionRenewed(subscription=sub.id, period_start=after.period_start, period_end=after.period_end))
    else:
        tx.event(SubscriptionEnded(subscription=sub.id, status=after.status))
    await tx.commit()


def rolled(basis: Basis, sub: Subscription) -> Closed:
    """What becomes of a subscription at the end of its period. Pure."""
    at, offer = sub.period_end, basis.offer_of(sub)
    span = span_of(sub, offer, basis.tenant.zone)
    ended, lines = end_period(sub, at, span, basis.units, lambda selection: basis.offer(selection, sub.currency))
    if sub.cancel_at is not None and sub.cancel_at <= at:
        return Closed(over(ended, "cancel", at), lines, ended.phases)
    if sub.ends_at is not None and sub.ends_at <= at:
        return Closed(over(ended, "expire", at), lines, ended.phases)
    selection = sub.next_selection or sub.selection
    following = replace(ended, selection=selection, next_selection=None, period_end=at)
    if sub.status == "trialing":
        following = replace(following, status=move(sub.status, "end_trial"))
    new = basis.offer_of(following)
    begun, more = start_period(following, new, next_span(following, new, basis.tenant.zone), basis.units)
    return Closed(begun, (*lines, *more), ended.phases)


def over(sub: Subscription, how: str, at: int) -> Subscription:
    """A subscription that ends, cancelled or expired."""
    return replace(sub, status=move(sub.status, how), cancel_at=None, next_selection=None, charged=(), ended_at=at)


async def bill(ctx: Context, tx: Transaction, basis: Basis, closed: Closed, reason: Reason) -> Subscription:
    """Part of a commit: a draft, where usage is to be priced; else the invoice at once."""
    sub, lines, phases = closed
    if not _has_usage(basis, sub.currency, phases):
        return await put_invoice(ctx, tx, basis, sub, reason, lines)
    put_draft(ctx, tx, invoice_of(ctx, sub, reason, lines, phases))
    return replace(sub, waiting=())


async def write(ctx: Context, tx: Transaction, basis: Basis, before: Subscription, after: Subscription) -> None:
    """Part of a commit: the subscription, when it closes next, and what follows for metering and limits."""
    tx.change(keys.subscription(ctx.tenant, before.id), before, after)
    if after.ended_at is None and after.paused_at is None:
        agenda.put(ctx, tx, Item(CLOSE, after.id, after.period_end))
    else:
        agenda.take(tx, CLOSE, after.id)
    if _moved(before, after) or await needs_renewal(ctx, [after]):
        others = await store.subscriptions(ctx.db, ctx.tenant)
        await follow(ctx, tx, basis, [after if one.id == after.id else one for one in others])


def _moved(before: Subscription, after: Subscription) -> bool:
    return (before.selection, before.status) != (after.selection, after.status)


def _has_usage(basis: Basis, currency: str, phases: Sequence[Phase]) -> bool:
    return any(not phase.free and basis.offer(phase.selection, currency).plan.usage for phase in phases)
