"""A subscription is paused, resumed, cancelled at once or at its period's end, goes on after all, or begins anew."""

from msgspec.structs import replace

from veloflux.billing import store
from veloflux.billing.arithmetic.cycle import Step, end_period, first_span, span_of, start_period
from veloflux.billing.arithmetic.periods import anchored
from veloflux.billing.basis import Basis, read_basis
from veloflux.billing.invoices.drafting import put_invoice
from veloflux.billing.invoices.settle_drafts import settle_drafts
from veloflux.billing.model import Subscription
from veloflux.billing.states import RUNNING, SUBSCRIPTION, move
from veloflux.billing.subscriptions.close_period import over, write
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import MoveImpossible
from veloflux.events import (
    Event,
    SubscriptionCancellationScheduled,
    SubscriptionCancellationUndone,
    SubscriptionEnded,
    SubscriptionPaused,
    SubscriptionReactivated,
    SubscriptionResumed,
)
from veloflux.transaction import Transaction, decide


async def cancel(ctx: Context, id_: str, *, now: bool = False, credit_unused: bool = True) -> Subscription:
    """End a subscription with its period, or `now`: then what was paid for the rest is credited, unless it shall not.

    :raises NotFound: there is no such subscription. :raises MoveImpossible: it has ended.
    """
    return await decide(lambda: _cancel_now(ctx, id_, credit_unused) if now else _cancel_later(ctx, id_))


async def undo_cancel(ctx: Context, id_: str) -> Subscription:
    """Let a subscription go on that was to end with its period.

    :raises NotFound: there is no such subscription. :raises MoveImpossible: it is not to end, or has ended.
    """
    return await decide(lambda: _undo(ctx, id_))


async def pause(ctx: Context, id_: str, *, credit_unused: bool = True) -> Subscription:
    """Stop a subscription now: its usage is invoiced, the rest of what was paid is credited, and nothing is charged
    until it is resumed.

    :raises NotFound: there is no such subscription. :raises MoveImpossible: it does not run.
    """
    return await decide(lambda: _pause(ctx, id_, credit_unused))


async def resume(ctx: Context, id_: str) -> Subscription:
    """Begin a new period of a paused subscription now; its periods are counted from here.

    :raises NotFound: there is no such subscription. :raises MoveImpossible: it is not paused.
    """
    return await decide(lambda: _begin_anew(ctx, id_, "resume", SubscriptionResumed(subscription=id_)))


async def reactivate(ctx: Context, id_: str) -> Subscription:
    """Begin a subscription that has ended anew, with what it had selected.

    :raises NotFound: there is no such subscription. :raises MoveImpossible: it has not ended. :raises Conflict: another
        one charges for a meter of it now.
    """
    return await decide(lambda: _begin_anew(ctx, id_, "reactivate", SubscriptionReactivated(subscription=id_)))


async def _cancel_later(ctx: Context, id_: str) -> Subscription:
    sub = await store.subscription(ctx, id_)
    move(SUBSCRIPTION, sub.status, "schedule_cancel")
    event = SubscriptionCancellationScheduled(subscription=id_, at=sub.period_end)
    return await _mark(ctx, sub, replace(sub, cancel_at=sub.period_end), event)


async def _undo(ctx: Context, id_: str) -> Subscription:
    sub = await store.subscription(ctx, id_)
    move(SUBSCRIPTION, sub.status, "undo_cancel")
    if sub.cancel_at is None:
        raise MoveImpossible("This subscription is not to end; there is nothing to undo", state=sub.status)
    return await _mark(ctx, sub, replace(sub, cancel_at=None), SubscriptionCancellationUndone(subscription=id_))


async def _cancel_now(ctx: Context, id_: str, credit_unused: bool) -> Subscription:
    sub, basis = await store.subscription(ctx, id_), await read_basis(ctx)
    move(SUBSCRIPTION, sub.status, "cancel")
    if credit_unused and await settle_drafts(ctx, basis, sub):
        return await _cancel_now(ctx, id_, credit_unused)
    step = over(ended(ctx, basis, sub, credit_unused=credit_unused), "cancel", ctx.now())
    return await _write(ctx, basis, sub, step, SubscriptionEnded(subscription=id_, status="cancelled"))


async def _pause(ctx: Context, id_: str, credit_unused: bool) -> Subscription:
    sub, basis = await store.subscription(ctx, id_), await read_basis(ctx)
    status = move(SUBSCRIPTION, sub.status, "pause")
    if credit_unused and await settle_drafts(ctx, basis, sub):
        return await _pause(ctx, id_, credit_unused)
    step = ended(ctx, basis, sub, credit_unused=credit_unused)
    paused = replace(step.subscription, status=status, paused_at=ctx.now())
    return await _write(ctx, basis, sub, step._replace(subscription=paused), SubscriptionPaused(subscription=id_))


async def _begin_anew(ctx: Context, id_: str, how: str, event: Event) -> Subscription:
    sub, basis, now = await store.subscription(ctx, id_), await read_basis(ctx), ctx.now()
    fresh = replace(
        sub,
        status=move(SUBSCRIPTION, sub.status, how),
        anchor=anchored(now, basis.tenant.zone).isoformat(),
        cancel_at=None,
        ends_at=None if sub.ends_at is not None and sub.ends_at <= now else sub.ends_at,
        trial_end=None,
        paused_at=None,
        ended_at=None,
    )
    offer = basis.offer_of(fresh)
    step = start_period(fresh, offer, first_span(fresh, offer, basis.calendar, now))
    return await _write(ctx, basis, sub, step, event)


def ended(ctx: Context, basis: Basis, sub: Subscription, *, credit_unused: bool) -> Step:
    """A subscription whose running period ends now, if one runs."""
    if sub.status not in RUNNING:
        return Step(sub, ())
    span = span_of(sub, basis.offer_of(sub), basis.calendar)
    return end_period(sub, ctx.now(), span, basis.offers(sub), credit_unused=credit_unused)


async def _write(ctx: Context, basis: Basis, before: Subscription, step: Step, event: Event) -> Subscription:
    tx = Transaction(ctx, ctx.tenant)
    after = await put_invoice(ctx, tx, basis, step, "end" if step.phases else "start")
    await write(ctx, tx, basis, before, after)
    tx.event(event)
    await tx.commit()
    return replace(after, version=before.version + 1)


async def _mark(ctx: Context, before: Subscription, after: Subscription, event: Event) -> Subscription:
    """What changes nothing but the subscription itself."""
    tx = Transaction(ctx, ctx.tenant)
    after = tx.change(keys.subscription(ctx.tenant, before.id), before, after)
    tx.event(event)
    await tx.commit()
    return after
