"""Routes of credits: operators give and void them, the tenant sees what is left."""

from typing import Annotated

from litestar import get, post
from litestar.params import Parameter

from veloflux.context import Context
from veloflux.kit import page
from veloflux.kit.page import Page
from veloflux.limits.credits import grant_credit, list_grants, void_grant
from veloflux.limits.grant import GrantShown, Terms
from veloflux.tenants.api import Limit, TenantPath

GrantPath = Annotated[str, Parameter(description="Id of a grant", max_length=64)]


@get(
    "/api/tenants/{tenant:str}/credits",
    operation_id="credits.list",
    permission="credits:read",
    summary="List a tenant's credits",
    tags=["limits"],
)
async def list_(ctx: Context, tenant: TenantPath, cursor: str = "", limit: Limit = page.LIMIT) -> Page[GrantShown]:
    """Grants, the newest first, with what is left of them; also those that ended or are void."""
    return await list_grants(ctx, cursor, limit)


@post(
    "/api/tenants/{tenant:str}/credits",
    operation_id="credits.grant",
    permission="credits:write",
    summary="Give a tenant credits",
    tags=["limits"],
)
async def grant(ctx: Context, tenant: TenantPath, data: Terms) -> GrantShown:
    """They pay for units beyond quotas: by priority, low first, then what expires first, then what started first.

    What recurs begins at the same time of the day in the tenant's zone; the 31st is the last day of a shorter month.
    """
    return await grant_credit(ctx, data)


@post(
    "/api/tenants/{tenant:str}/credits/{grant:str}/void",
    operation_id="credits.void",
    permission="credits:write",
    summary="Void what is left of a grant",
    tags=["limits"],
    status_code=200,
)
async def void(ctx: Context, tenant: TenantPath, grant: GrantPath) -> GrantShown:
    """At once; it does not recur any more. What was burned stays paid."""
    return await void_grant(ctx, grant)


ROUTES = (list_, grant, void)
