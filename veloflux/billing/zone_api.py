"""The route by which operators give a tenant another time zone."""

from typing import Annotated

import msgspec
from litestar import put
from msgspec import Meta

from veloflux.billing.zone import set_zone as change
from veloflux.context import Context
from veloflux.tenants import Tenant
from veloflux.tenants.api import TenantPath


class Zone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    zone: Annotated[str, Meta(max_length=64, examples=["America/Sao_Paulo"], description="IANA time zone")]


@put(
    "/api/tenants/{tenant:str}/zone",
    operation_id="tenants.set_zone",
    permission="plan:write",
    summary="Give a tenant another time zone",
    tags=["tenants"],
)
async def set_zone(ctx: Context, tenant: TenantPath, data: Zone) -> Tenant:
    """Days and months are counted by its clocks from now on, and so are the next periods of subscriptions; the running
    ones end when they would have. What was counted stays in the day and month that it was counted in."""
    return await change(ctx, data.zone)


ROUTES = (set_zone,)
