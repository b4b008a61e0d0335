"""Routes of a tenant's short-lived tokens."""

from typing import Annotated

import msgspec
from litestar import delete, get, post
from msgspec import Meta

from veloflux import tenants
from veloflux.context import Context
from veloflux.kit import page
from veloflux.kit.page import Page
from veloflux.tenants.api import Limit, TenantPath
from veloflux.tenants.shown import TokenCreated, TokenShown
from veloflux.tenants.tokens import LIFE_MAX_S, LIFE_S, SUBJECT_MAX


class CreateToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    permissions: Annotated[
        list[Annotated[str, Meta(max_length=40)]],
        Meta(min_length=1, max_length=100, description="Some of your own", examples=[["usage:read"]]),
    ]
    lifetime_s: Annotated[int, Meta(ge=1, le=LIFE_MAX_S, description="Seconds", examples=[LIFE_S])] = LIFE_S
    subject: Annotated[str, Meta(max_length=SUBJECT_MAX, description="Your own word for whom it is made for")] = ""


@post(
    "/api/tenants/{tenant:str}/tokens",
    operation_id="tokens.create",
    permission="tokens:write",
    summary="Create a short-lived token for the tenant's own front end",
    tags=["tokens"],
    status_code=201,
)
async def create_token(ctx: Context, tenant: TenantPath, data: CreateToken) -> TokenCreated:
    """It works wherever an API key does, until it is over, is revoked, or its maker is gone."""
    made = await tenants.create_token(ctx, data.permissions, lifetime_s=data.lifetime_s, subject=data.subject)
    return TokenCreated.of(made)


@get(
    "/api/tenants/{tenant:str}/tokens",
    operation_id="tokens.list",
    permission="api_keys:read",
    summary="List the tokens that are not over",
    tags=["tokens"],
)
async def list_tokens(
    ctx: Context, tenant: TenantPath, cursor: str = "", limit: Limit = page.LIMIT
) -> Page[TokenShown]:
    found = await tenants.list_tokens(ctx, cursor, limit)
    return Page([TokenShown.of(token) for token in found.items], found.next)


@delete(
    "/api/tenants/{tenant:str}/tokens/{token:str}",
    operation_id="tokens.revoke",
    permission="tokens:write",
    summary="Revoke a token",
    tags=["tokens"],
)
async def revoke_token(ctx: Context, tenant: TenantPath, token: str) -> None:
    await tenants.revoke_token(ctx, token)


ROUTES = (create_token, list_tokens, revoke_token)
