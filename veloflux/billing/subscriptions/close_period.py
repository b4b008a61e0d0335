"""A period ends: the next one begins, or the subscription does not go on; the invoice of both waits for late usage.

Any number of workers may close the same period: the commit expects the subscription that was read, and the invoice's id
follows from it, so there is exactly one.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from veloflux.billing import agenda, store
from veloflux.billing.agenda import Item
from veloflux.billing.arithmetic.cycle import Step, end_period, next_span, span_of, start_period
from veloflux.billing.basis import Basis, read_basis
from veloflux.billing.invoices.bill_late import plan_late
from veloflux.billing.invoices.drafting import put_invoice
from veloflux.billing.model import Subscription
from veloflux.billing.states import RUNNING, SUBSCRIPTION, move
from veloflux.billing.subscriptions.follow import expect_zone, follow, needs_renewal
from veloflux.billing.subscriptions.start import CLOSE
from veloflux.context import Context
from veloflux.db import keys
from veloflux.events import Event, SubscriptionEnded, SubscriptionRenewed, TrialEnded
from veloflux.transaction import Transaction


async def close_period(ctx: Context, item: Item, sub: Subscription) -> None:
    """What is due at the end of a subscription's period; the context's time is that moment."""
    basis = await read_basis(ctx)
    if (due := closes_at(sub)) != item.due:
        await agenda.correct(ctx, item, due, keys.subscription(ctx.tenant, sub.id), sub)
        return
    tx = Transaction(ctx, ctx.tenant)
    await close(ctx, tx, basis, sub, sub)
    await tx.commit()


async def close(
    ctx: Context, tx: Transaction, basis: Basis, before: Subscription, closing: Subscription
) -> Subscription:
    """Part of a commit: a period ends at the context's time, and what follows. `closing` is the subscription whose
    `period_end` that is, `before` the same as it lies in Redis."""
    step = rolled(basis, closing)
    after = await put_invoice(ctx, tx, basis, step, "period" if step.subscription.ended_at is None else "end")
    await write(ctx, tx, basis, before, after)
    for event in _told(before, after):
        tx.event(event)
    return after


def closes_at(sub: Subscription) -> int | None:
    """When its period ends; while it is paused, when it does itself. None: nothing is due."""
    if sub.status in RUNNING:
        return sub.period_end
    ends = [at for at in (sub.cancel_at, sub.ends_at) if at is not None]
    return min(ends) if ends and sub.status == "paused" else None


def rolled(basis: Basis, sub: Subscription) -> Step:
    """What becomes of a subscription when it closes. Pure."""
    at = closes_at(sub)
    assert at is not None
    ended = Step(sub, ())
    if sub.status in RUNNING:
        ended = end_period(sub, at, span_of(sub, basis.offer_of(sub), basis.calendar), basis.offers(sub))
    if sub.cancel_at is not None and sub.cancel_at <= at:
        return over(ended, "cancel", at)
    if sub.ends_at is not None and sub.ends_at <= at:
        return over(ended, "expire", at)
    status = move(SUBSCRIPTION, sub.status, "end_trial" if sub.status == "trialing" else "renew")
    selection = sub.next_selection or sub.selection
    following = replace(ended.subscription, status=status, selection=selection, next_selection=None)
    new = basis.offer_of(following)
    begun = start_period(following, new, next_span(following, new, basis.calendar))
    return Step(begun.subscription, (*ended.lines, *begun.lines), ended.phases)


def over(ended: Step, how: str, at: int) -> Step:
    """A subscription whose period has ended, and that does not go on: cancelled or expired."""
    sub = ended.subscription
    status = move(SUBSCRIPTION, sub.status, how)
    return ended._replace(subscription=replace(sub, status=status, cancel_at=None, next_selection=None, ended_at=at))


async def write(ctx: Context, tx: Transaction, basis: Basis, before: Subscription, after: Subscription) -> None:
    """Part of a commit: the subscription, when it closes next, and what follows for metering and limits."""
    tx.change(keys.subscription(ctx.tenant, before.id), before, after)
    expect_zone(tx, basis)
    if (due := closes_at(after)) is not None:
        agenda.put(ctx, tx, Item(CLOSE, after.id, due))
    else:
        agenda.take(tx, CLOSE, after.id)
    plan_late(ctx, tx, before, after)
    if _moved(before, after) or needs_renewal(basis.schedule, after, ctx.now()):
        others = await store.subscriptions(ctx.db, ctx.tenant)
        await follow(ctx, tx, basis, [after if one.id == after.id else one for one in others])


def _told(before: Subscription, after: Subscription) -> Iterator[Event]:
    if before.status == "trialing" and after.status == "active":
        yield TrialEnded(subscription=after.id)
    if after.ended_at is None:
        yield SubscriptionRenewed(subscription=after.id, period_start=after.period_start, period_end=after.period_end)
    else:
        yield SubscriptionEnded(subscription=after.id, status=after.status)


def _moved(before: Subscription, after: Subscription) -> bool:
    return (before.selection, before.next_selection, before.status, before.anchor) != (
        after.selection,
        after.next_selection,
        after.status,
        after.anchor,
    )
