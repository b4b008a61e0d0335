"""A subscription is paused, resumed, cancelled at once or at its period's end, goes on after all, or begins anew."""

from msgspec.structs import replace

from veloflux.billing import store
from veloflux.billing.basis import Basis, read_basis
from veloflux.billing.close_period import Closed, bill, over, write
from veloflux.billing.cycle import end_period, first_span, span_of, start_period
from veloflux.billing.invoicing import put_invoice
from veloflux.billing.model import Subscription
from veloflux.billing.periods import anchored
from veloflux.billing.states import move
from veloflux.context import Context
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

    :raises NotFound: there is no such subscription. :raises MoveImpossible: it has not ended.
    """
    return await decide(lambda: _begin_anew(ctx, id_, "reactivate", SubscriptionReactivated(subscription=id_)))


async def _cancel_later(ctx: Context, id_: str) -> Subscription:
    sub, basis = await store.subscription(ctx, id_), await read_basis(ctx)
    move(sub.status, "schedule_cancel")
    after = replace(sub, cancel_at=sub.period_end)
    return await _write(
        ctx, basis, sub, after, SubscriptionCancellationScheduled(subscription=id_, at=sub.period_end)
    )


async def _undo(ctx: Context, id_: str) -> Subscription:
    sub, basis = await store.subscription(ctx, id_), await read_basis(ctx)
    move(sub.status, "undo_cancel")
    if sub.cancel_at is None:
        raise MoveImpossible("This subscription is not to end; there is nothing to undo", state=sub.status)
    return await _write(
        ctx, basis, sub, replace(sub, cancel_at=None), SubscriptionCancellationUndone(subscription=id_)
    )


async def _cancel_now(ctx: Context, id_: str, credit_unused: bool) -> Subscription:
    sub, basis = await store.subscription(ctx, id_), await read_basis(ctx)
    move(sub.status, "cancel")
    closed = _ended(ctx, basis, sub, credit_unused)
    after = closed._replace(subscription=over(closed.subscription, "cancel", ctx.now()))
    return await _write(ctx, basis, sub, after, SubscriptionEnded(subscription=id_, status="cancelled"))


async def _pause(ctx: Context, id_: str, credit_unused: bool) -> Subscription:
    sub, basis = await store.subscription(ctx, id_), await read_basis(ctx)
    status = move(sub.status, "pause")
    closed = _ended(ctx, basis, sub, credit_unused)
    after = closed._replace(subscription=replace(closed.subscription, status=status, paused_at=ctx.now()))
    return await _write(ctx, basis, sub, after, SubscriptionPaused(subscription=id_))


async def _begin_anew(ctx: Context, id_: str, how: str, event: Event) -> Subscription:
    sub, basis = await store.subscription(ctx, id_), await read_basis(ctx)
    at, zone = ctx.now(), basis.tenant.zone
    fresh = replace(
        sub,
        status=move(sub.status, how),
        anchor=anchored(at, zone).isoformat(),
        paused_at=None,
        ended_at=None,
        ends_at=None if sub.ends_at is not None and sub.ends_at <= at else sub.ends_at,
        trial_end=None,
    )
    offer = basis.offer_of(fresh)
    begun, lines = start_period(fresh, offer, first_span(fresh, offer, zone, at), basis.units)
    return await _write(ctx, basis, sub, Closed(begun, lines, ()), event)


def _ended(ctx: Context, basis: Basis, sub: Subscription, credit_unused: bool) -> Closed:
    """The running period ends here; in a trial that costs nothing."""
    span = span_of(sub, basis.offer_of(sub), basis.tenant.zone)
    ended, lines = end_period(
        sub,
        ctx.now(),
        span,
        basis.units,
        lambda selection: basis.offer(selection, sub.currency),
        credit_unused=credit_unused,
    )
    return Closed(ended, lines, ended.phases)


async def _write(
    ctx: Context, basis: Basis, before: Subscription, step: Subscription | Closed, event: Event
) -> Subscription:
    tx = Transaction(ctx, ctx.tenant)
    after = step
    if isinstance(after, Closed):
        after = await bill(ctx, tx, basis, after, "end" if after.phases else "start")
    await write(ctx, tx, basis, before, after)
    tx.event(event)
    await tx.commit()
    return replace(after, version=before.version + 1)
