"""The route by which a tenant requires a second factor of its people."""

from typing import Annotated

import msgspec
from litestar import put
from msgspec import Meta

from veloflux import tenants
from veloflux.context import Context
from veloflux.tenants.api import TenantPath
from veloflux.tenants.model import Tenant


class SecondFactorPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    required: Annotated[bool, Meta(examples=[False])]


@put(
    "/api/tenants/{tenant:str}/second-factor",
    operation_id="tenants.require_second_factor",
    permission="sign_in:write",
    summary="Require a second factor of the people of a tenant, or no longer",
    tags=["tenants"],
)
async def require_second_factor(ctx: Context, tenant: TenantPath, data: SecondFactorPolicy) -> Tenant:
    """From the next request on, whose session has none is refused (`second_factor_needed`). Keys are not concerned."""
    return await tenants.require_second_factor(ctx, data.required)


ROUTES = (require_second_factor,)
