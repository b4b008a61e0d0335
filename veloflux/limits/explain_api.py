"""Routes that say how limits stand, and why a request would be refused."""

from typing import Annotated

import msgspec
from litestar import get, post
from msgspec import Meta

from veloflux.context import Context
from veloflux.limits.api import Address, Route, whole
from veloflux.limits.explain import Explanation, explain, read_limits
from veloflux.limits.model import COST_MAX, Question
from veloflux.limits.near import NearLimit, list_near
from veloflux.tenants.api import TenantPath


class ExplainCheck(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A meter, a feature, or both, as a check is asked."""

    meter: Annotated[str, Meta(max_length=64, description="Name of a meter", examples=["requests"])] = ""
    cost: Annotated[float, Meta(gt=0, le=COST_MAX, description="Units to use", examples=[1])] = 1
    key: Annotated[str, Meta(max_length=64, description="Id of the API key that would ask; empty: none")] = ""
    address: Address = ""
    route: Route = ""
    feature: Annotated[str, Meta(max_length=60, description="Name of a feature that the plan must include")] = ""

    @property
    def question(self) -> Question:
        return Question(
            meter=self.meter, cost=whole(self.cost), address=self.address, route=self.route, feature=self.feature
        )


@get(
    "/api/tenants/{tenant:str}/limits",
    operation_id="limits.list",
    permission="usage:read",
    summary="Read how every limit and quota stands",
    tags=["usage"],
)
async def list_(ctx: Context, tenant: TenantPath) -> list[Explanation]:
    """Of each meter with a limit. Nothing is counted; limits by key or address are told of where one is named."""
    return await read_limits(ctx)


@post(
    "/api/tenants/{tenant:str}/check/explain",
    operation_id="limits.explain",
    permission="usage:read",
    status_code=200,
    summary="Why would this request be refused?",
    tags=["usage"],
)
async def explain_(ctx: Context, tenant: TenantPath, data: ExplainCheck) -> Explanation:
    """What a check would decide now: each limit that applies, which would refuse, what would help. Nothing counts."""
    return await explain(ctx, data.question, data.key)


@get(
    "/api/usage/near",
    operation_id="usage.near",
    platform="tenants:read",
    summary="List the tenants that are near a limit",
    tags=["usage"],
)
async def near(ctx: Context) -> list[NearLimit]:
    """Quotas that have reached a threshold in their present period, the highest share first; 100 at most."""
    return await list_near(ctx)


ROUTES = (list_, explain_, near)
