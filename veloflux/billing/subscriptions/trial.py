"""A trial ends later or earlier than was agreed, or now."""

import msgspec
from msgspec.structs import replace

from veloflux.billing import store
from veloflux.billing.arithmetic.periods import anchored
from veloflux.billing.basis import read_basis
from veloflux.billing.model import Subscription
from veloflux.billing.states import SUBSCRIPTION, move
from veloflux.billing.subscriptions.close_period import close, write
from veloflux.billing.subscriptions.start import Time
from veloflux.context import Context
from veloflux.errors import InputInvalid, MoveImpossible
from veloflux.events import TrialEndSet
from veloflux.kit.clock import DAY_MS
from veloflux.plans.terms import TRIAL_DAYS_MAX
from veloflux.transaction import Transaction, decide


class TrialEnd(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a trial ends; null: now."""

    at: Time | None


async def set_trial_end(ctx: Context, id_: str, at: int | None) -> Subscription:
    """Let a trial end at a time of the tenant's clock (epoch ms), or now (None), which bills the first period as when a
    trial ends by itself. Periods are counted from there, and a cancellation that was planned comes then.

    :raises NotFound: there is no such subscription. :raises MoveImpossible: it is in no trial, or that is over.
    :raises InputInvalid: the time is past, too far ahead, or not before the agreed end of the subscription.
    """
    return await decide(lambda: _set(ctx, id_, at))


async def _set(ctx: Context, id_: str, at: int | None) -> Subscription:
    sub, basis, now = await store.subscription(ctx, id_), await read_basis(ctx), ctx.now()
    check_trial_end(sub, now, at)
    moved = ending_at(sub, now if at is None else at, basis.tenant.zone)
    tx = Transaction(ctx, ctx.tenant)
    tx.event(TrialEndSet(subscription=id_, at=moved.period_end))
    if at is None:
        moved = await close(ctx, tx, basis, sub, moved)
    else:
        await write(ctx, tx, basis, sub, moved)
    await tx.commit()
    return replace(moved, version=sub.version + 1)


def check_trial_end(sub: Subscription, now: int, at: int | None) -> None:
    """Whether a trial may end at a time, None: now. Pure. Errors as `set_trial_end`."""
    move(SUBSCRIPTION, sub.status, "set_trial_end")
    if sub.period_end <= now:  # what is due then is done as at its own time, however late
        raise MoveImpossible("The trial is over; its first period is billed in a moment", state=sub.status)
    if at is None:
        return
    if at <= now:
        raise InputInvalid("The trial must end in the future of the tenant's clock; it can also end now", field="at")
    if at > sub.created_at + TRIAL_DAYS_MAX * DAY_MS:
        raise InputInvalid("A trial lasts two years at most", field="at")
    if sub.ends_at is not None and at >= sub.ends_at:
        raise InputInvalid("The trial must end before the subscription does, as was agreed", field="at")


def ending_at(sub: Subscription, at: int, zone: str) -> Subscription:
    """A subscription whose trial ends at a time. Pure."""
    return replace(
        sub,
        trial_end=at,
        period_end=at,
        anchor=anchored(at, zone).isoformat(),
        cancel_at=None if sub.cancel_at is None else at,
    )
