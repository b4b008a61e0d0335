"""Routes of subscriptions."""

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import HeaderParameter, Parameter
from msgspec import Meta

from veloflux.billing import store
from veloflux.billing.subscriptions import cancel as cancelling
from veloflux.billing.subscriptions import start as starting
from veloflux.billing.subscriptions.change import ChangeSubscription, change, preview, undo_change
from veloflux.billing.subscriptions.shown import PreviewShown, SubscriptionShown
from veloflux.billing.subscriptions.start import Start, Time
from veloflux.billing.subscriptions.trial import TrialEnd, set_trial_end
from veloflux.context import Context
from veloflux.tenants.api import TenantPath

SUBSCRIPTIONS = "/api/tenants/{tenant:str}/subscriptions"
ONE = SUBSCRIPTIONS + "/{subscription:str}"
SubscriptionPath = Annotated[str, Parameter(description="Id of a subscription", max_length=64)]
Key = Annotated[
    str,
    HeaderParameter(
        name="Idempotency-Key",
        description="The same key again gives the subscription that the first request began",
        max_length=200,
    ),
]


class PreviewChange(ChangeSubscription, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A change, and the time at which it would be made."""

    at: Time | None = None


class Cancel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`now`, or with the period; then what was paid for the rest of it is credited unless `credit_unused` is false."""

    now: bool = False
    credit_unused: Annotated[bool, Meta(description="Of what ends now")] = True


class Pause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    credit_unused: Annotated[bool, Meta(description="Credit what was paid for the rest of the period")] = True


@get(
    SUBSCRIPTIONS,
    operation_id="subscriptions.list",
    permission="billing:read",
    summary="List a tenant's subscriptions",
    tags=["subscriptions"],
)
async def list_(ctx: Context, tenant: TenantPath) -> list[SubscriptionShown]:
    """The oldest first, also those that have ended."""
    return [SubscriptionShown.of(one) for one in await store.subscriptions(ctx.db, ctx.tenant)]


@post(
    SUBSCRIPTIONS,
    operation_id="subscriptions.start",
    permission="billing:write",
    summary="Begin a subscription",
    tags=["subscriptions"],
)
async def start(ctx: Context, tenant: TenantPath, data: Start, idempotency_key: Key = "") -> SubscriptionShown:
    """What is paid in advance is invoiced at once, or after the trial. The tenant gets the limits of the plan."""
    return SubscriptionShown.of(await starting.start(ctx, data, idempotency_key))


@get(
    ONE,
    operation_id="subscriptions.show",
    permission="billing:read",
    summary="Show a subscription",
    tags=["subscriptions"],
)
async def show(ctx: Context, tenant: TenantPath, subscription: SubscriptionPath) -> SubscriptionShown:
    return SubscriptionShown.of(await store.subscription(ctx, subscription))


@post(
    ONE + "/preview",
    operation_id="subscriptions.preview",
    permission="billing:read",
    summary="Preview a change",
    tags=["subscriptions"],
    status_code=200,
)
async def preview_(
    ctx: Context, tenant: TenantPath, subscription: SubscriptionPath, data: PreviewChange
) -> PreviewShown:
    """The exact lines that the change brings at a time, now unless it says another; nothing is changed."""
    return PreviewShown.of(await preview(ctx, subscription, data, data.at))


@post(
    ONE + "/change",
    operation_id="subscriptions.change",
    permission="billing:write",
    summary="Change the plan, quantities or add-ons",
    tags=["subscriptions"],
    status_code=200,
)
async def change_(
    ctx: Context, tenant: TenantPath, subscription: SubscriptionPath, data: ChangeSubscription
) -> SubscriptionShown:
    """What is left of the period is credited at the old price and charged at the new one, to the second or the day."""
    return SubscriptionShown.of(await change(ctx, subscription, data))


@post(
    ONE + "/undo-change",
    operation_id="subscriptions.undo_change",
    permission="billing:write",
    summary="Take back a change that was to come with the next period",
    tags=["subscriptions"],
    status_code=200,
)
async def undo_change_(ctx: Context, tenant: TenantPath, subscription: SubscriptionPath) -> SubscriptionShown:
    return SubscriptionShown.of(await undo_change(ctx, subscription))


@post(
    ONE + "/trial-end",
    operation_id="subscriptions.set_trial_end",
    permission="billing:write",
    summary="Let a trial end later, earlier, or now",
    tags=["subscriptions"],
    status_code=200,
)
async def set_trial_end_(
    ctx: Context, tenant: TenantPath, subscription: SubscriptionPath, data: TrialEnd
) -> SubscriptionShown:
    """Periods are counted from there. If it ends now, the first one is invoiced at once; a cancellation that was
    planned comes with it."""
    return SubscriptionShown.of(await set_trial_end(ctx, subscription, data.at))


@post(
    ONE + "/cancel",
    operation_id="subscriptions.cancel",
    permission="billing:write",
    summary="Cancel a subscription",
    tags=["subscriptions"],
    status_code=200,
)
async def cancel(ctx: Context, tenant: TenantPath, subscription: SubscriptionPath, data: Cancel) -> SubscriptionShown:
    """With its period, or now; usage until then is invoiced."""
    return SubscriptionShown.of(
        await cancelling.cancel(ctx, subscription, now=data.now, credit_unused=data.credit_unused)
    )


@post(
    ONE + "/undo-cancel",
    operation_id="subscriptions.undo_cancel",
    permission="billing:write",
    summary="Let a subscription go on that was to end",
    tags=["subscriptions"],
    status_code=200,
)
async def undo_cancel(ctx: Context, tenant: TenantPath, subscription: SubscriptionPath) -> SubscriptionShown:
    return SubscriptionShown.of(await cancelling.undo_cancel(ctx, subscription))


@post(
    ONE + "/pause",
    operation_id="subscriptions.pause",
    permission="billing:write",
    summary="Pause a subscription",
    tags=["subscriptions"],
    status_code=200,
)
async def pause(ctx: Context, tenant: TenantPath, subscription: SubscriptionPath, data: Pause) -> SubscriptionShown:
    """Its usage is invoiced; nothing is charged until it is resumed."""
    return SubscriptionShown.of(await cancelling.pause(ctx, subscription, credit_unused=data.credit_unused))


@post(
    ONE + "/resume",
    operation_id="subscriptions.resume",
    permission="billing:write",
    summary="Resume a paused subscription",
    tags=["subscriptions"],
    status_code=200,
)
async def resume(ctx: Context, tenant: TenantPath, subscription: SubscriptionPath) -> SubscriptionShown:
    """A new period begins now, and periods are counted from here."""
    return SubscriptionShown.of(await cancelling.resume(ctx, subscription))


@post(
    ONE + "/reactivate",
    operation_id="subscriptions.reactivate",
    permission="billing:write",
    summary="Begin an ended subscription anew",
    tags=["subscriptions"],
    status_code=200,
)
async def reactivate(ctx: Context, tenant: TenantPath, subscription: SubscriptionPath) -> SubscriptionShown:
    return SubscriptionShown.of(await cancelling.reactivate(ctx, subscription))


ROUTES = (
    list_,
    start,
    show,
    preview_,
    change_,
    undo_change_,
    set_trial_end_,
    cancel,
    undo_cancel,
    pause,
    resume,
    reactivate,
)
