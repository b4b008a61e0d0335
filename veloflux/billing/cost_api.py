"""Routes of what subscriptions cost: so far and at the period's end, and how far they may go."""

from typing import Annotated

from litestar import get
from litestar.params import Parameter

from veloflux.billing.cost import Cost, read_cost
from veloflux.context import Context
from veloflux.tenants.api import TenantPath

SubscriptionPath = Annotated[str, Parameter(description="Id of a subscription", max_length=64)]


@get(
    "/api/tenants/{tenant:str}/subscriptions/{subscription:str}/cost",
    operation_id="subscriptions.cost",
    permission="billing:read",
    summary="Read what a subscription costs so far, and will",
    tags=["billing"],
)
async def cost(ctx: Context, tenant: TenantPath, subscription: SubscriptionPath) -> Cost:
    """Of the running period: what of it was paid in advance and what the next invoice asks for, if nothing more is
    used, by meter and fixed charge. `method` names how the forecast was made."""
    return await read_cost(ctx, subscription)


ROUTES = (cost,)
