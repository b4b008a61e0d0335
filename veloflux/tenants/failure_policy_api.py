"""The route by which a tenant says what a check answers when Redis is away."""

from typing import Annotated

import msgspec
from litestar import put
from msgspec import Meta

from veloflux import tenants
from veloflux.context import Context
from veloflux.tenants.api import TenantPath
from veloflux.tenants.model import Tenant


class FailurePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    fails_open: Annotated[bool, Meta(examples=[False])]


@put(
    "/api/tenants/{tenant:str}/failure-policy",
    operation_id="tenants.set_failure_policy",
    permission="tenant:write",
    summary="Let checks pass or refuse while they cannot be decided",
    tags=["tenants"],
)
async def set_failure_policy(ctx: Context, tenant: TenantPath, data: FailurePolicy) -> Tenant:
    """Closed, which it is at first, refuses; open lets pass, and counts nothing."""
    return await tenants.set_failure_policy(ctx, data.fails_open)


ROUTES = (set_failure_policy,)
