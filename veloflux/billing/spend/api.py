"""Routes of what subscriptions cost: so far and at the period's end, and how far they may go."""

from litestar import get, put

from veloflux.billing.spend.cost import Cost, read_cost
from veloflux.billing.spend.limits import SpendLimits, SpendShown, limit_spend, read_spend
from veloflux.billing.subscriptions.api import ONE, SubscriptionPath
from veloflux.context import Context
from veloflux.tenants.api import TenantPath


@get(
    ONE + "/cost",
    operation_id="subscriptions.cost",
    permission="billing:read",
    conflicts=True,
    summary="Read what a subscription costs so far, and will",
    tags=["subscriptions"],
)
async def cost(ctx: Context, tenant: TenantPath, subscription: SubscriptionPath) -> Cost:
    """Of the running period: what of it was paid in advance and what the next invoice asks for, if nothing more is
    used, by meter and fixed charge. `method` names how the forecast was made."""
    return await read_cost(ctx, subscription)


@get(
    ONE + "/spend",
    operation_id="subscriptions.spend",
    permission="billing:read",
    summary="Read a subscription's alerts and spend caps",
    tags=["subscriptions"],
)
async def spend(ctx: Context, tenant: TenantPath, subscription: SubscriptionPath) -> SpendShown:
    """With what of them the running period has reached."""
    return await read_spend(ctx, subscription)


@put(
    ONE + "/spend",
    operation_id="subscriptions.limit_spend",
    permission="billing:write",
    summary="Set a subscription's alerts and spend caps",
    tags=["subscriptions"],
)
async def limit(ctx: Context, tenant: TenantPath, subscription: SubscriptionPath, data: SpendLimits) -> SpendShown:
    """All of them; what is left out is none. A cap of a meter refuses checks from the largest quantity on that it
    allows; the cap of all usage, from within five minutes after it is reached. Events are counted and billed also then.
    """
    return await limit_spend(ctx, subscription, data)


ROUTES = (cost, spend, limit)
