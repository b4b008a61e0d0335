"""Routes of how a tenant is billed."""

from litestar import get, put

from veloflux.billing.profile import ProfileTerms, read_profile, set_profile
from veloflux.context import Context
from veloflux.tenants.api import TenantPath

PROFILE = "/api/tenants/{tenant:str}/billing"


@get(
    PROFILE,
    operation_id="billing.show",
    permission="billing:read",
    summary="Show how a tenant is billed",
    tags=["invoices"],
)
async def show(ctx: Context, tenant: TenantPath) -> ProfileTerms:
    """As long as nobody said otherwise, to the second, with the taxes of its place, due at once."""
    return await read_profile(ctx)


@put(
    PROFILE,
    operation_id="billing.set",
    permission="billing:write",
    summary="Set how a tenant is billed",
    tags=["invoices"],
)
async def set_(ctx: Context, tenant: TenantPath, data: ProfileTerms) -> ProfileTerms:
    """From its next invoice on; what is left out is as it is without a word."""
    return await set_profile(ctx, data)


ROUTES = (show, set_)
