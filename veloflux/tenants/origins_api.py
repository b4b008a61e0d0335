"""The route by which a tenant lists the origins whose pages may use its keys and tokens."""

from typing import Annotated

import msgspec
from litestar import put
from msgspec import Meta

from veloflux import tenants
from veloflux.context import Context
from veloflux.tenants.api import TenantPath
from veloflux.tenants.model import Tenant
from veloflux.tenants.origins import ORIGIN_MAX, ORIGINS_MAX

Origins = Annotated[
    list[Annotated[str, Meta(max_length=ORIGIN_MAX)]],
    Meta(
        max_length=ORIGINS_MAX,
        description="Exact, https or of the own machine; empty: none",
        examples=[["https://app.example.com"]],
    ),
]


class SetOrigins(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    origins: Origins


@put(
    "/api/tenants/{tenant:str}/origins",
    operation_id="tenants.set_origins",
    permission="tenant:write",
    summary="List the origins whose pages may use a tenant's keys and tokens",
    tags=["tenants"],
)
async def set_origins(ctx: Context, tenant: TenantPath, data: SetOrigins) -> Tenant:
    """Pages of other origins are refused (`origin_refused`) from the next request on."""
    return await tenants.set_origins(ctx, data.origins)


ROUTES = (set_origins,)
