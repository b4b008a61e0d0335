"""The route by which operators say on which day of the month a tenant's billing periods begin."""

from datetime import date
from typing import Annotated

import msgspec
from litestar import put
from msgspec import Meta

from veloflux import tenants
from veloflux.context import Context
from veloflux.tenants.api import TenantPath
from veloflux.tenants.model import Tenant


class BillingAnchor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    anchor: Annotated[date, Meta(description="A day on which a period begins", examples=["2026-01-31"])]


@put(
    "/api/tenants/{tenant:str}/billing-anchor",
    operation_id="tenants.set_billing_anchor",
    permission="plan:write",
    summary="Let a tenant's billing periods begin on another day",
    tags=["tenants"],
)
async def set_billing_anchor(ctx: Context, tenant: TenantPath, data: BillingAnchor) -> Tenant:
    """Each month on that day in the tenant's zone; the 31st is the last day of a shorter month. From the next check on.

    Of the running period counts what was used since its first day by the new anchor.
    """
    return await tenants.set_billing_anchor(ctx, data.anchor)


ROUTES = (set_billing_anchor,)
