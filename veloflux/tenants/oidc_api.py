"""Routes of a tenant's sign-in provider, and of the link that a first sign-in by it needs."""

from typing import Annotated

import msgspec
from litestar import delete, get, post, put
from msgspec import Meta

from veloflux import tenants
from veloflux.context import Context
from veloflux.identity.api import LinkToken
from veloflux.tenants.api import TenantPath
from veloflux.tenants.model import Tenant
from veloflux.tenants.oidc_connection import MANY, TEXT_MAX, redirect_uri
from veloflux.tenants.oidc_model import SCOPES, OidcReport, OidcTerms
from veloflux.tenants.shown import OidcShown

Word = Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]


class SetOidc(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    issuer: Annotated[str, Meta(max_length=500, examples=["https://login.example.com"])]
    client_id: Annotated[str, Meta(min_length=1, max_length=TEXT_MAX, examples=["veloflux"])]
    domains: Annotated[
        list[Annotated[str, Meta(max_length=254)]],
        Meta(min_length=1, max_length=MANY, description="Of addresses that may sign in", examples=[["example.com"]]),
    ]
    client_secret: Annotated[str, Meta(max_length=TEXT_MAX, description="Empty: the one that it has, or none")] = ""
    scopes: Annotated[list[Word], Meta(max_length=MANY)] = msgspec.field(default_factory=lambda: list(SCOPES))
    email_claim: Word = "email"
    name_claim: Word = "name"
    groups_claim: Word = "groups"
    roles: Annotated[
        dict[str, str],
        Meta(
            max_length=MANY,
            description="Group of the provider to role of the tenant; of several the first counts",
            examples=[{"engineering": "admin"}],
        ),
    ] = msgspec.field(default_factory=dict)
    default_role: Annotated[str, Meta(max_length=40, description="Of who is in none of the groups; empty: refused")] = (
        ""
    )
    enabled: bool = False

    @property
    def terms(self) -> OidcTerms:
        return msgspec.convert(self, OidcTerms, from_attributes=True)


class OidcLinkToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    token: LinkToken


@get(
    "/api/tenants/{tenant:str}/oidc",
    operation_id="tenants.oidc.show",
    permission="sign_in:write",
    summary="Show the tenant's sign-in provider",
    tags=["tenants"],
)
async def show_oidc(ctx: Context, tenant: TenantPath) -> OidcShown:
    """Its secret is never given back."""
    return OidcShown.of(await tenants.show_oidc(ctx), redirect_uri(ctx, ctx.tenant))


@put(
    "/api/tenants/{tenant:str}/oidc",
    operation_id="tenants.oidc.set",
    permission="sign_in:write",
    summary="Set the tenant's sign-in provider (OpenID Connect)",
    tags=["tenants"],
)
async def set_oidc(ctx: Context, tenant: TenantPath, data: SetOidc) -> OidcShown:
    """What is left out has its default. Nobody maps a group to a role that may do more than they may themselves."""
    connection = await tenants.set_oidc(ctx, data.terms, data.client_secret)
    return OidcShown.of(connection, redirect_uri(ctx, ctx.tenant))


@delete(
    "/api/tenants/{tenant:str}/oidc",
    operation_id="tenants.oidc.remove",
    permission="sign_in:write",
    summary="Remove the tenant's sign-in provider",
    tags=["tenants"],
)
async def remove_oidc(ctx: Context, tenant: TenantPath) -> None:
    """Nobody signs in by it any more; who did stays a member."""
    await tenants.remove_oidc(ctx)


@post(
    "/api/tenants/{tenant:str}/oidc/test",
    operation_id="tenants.oidc.test",
    permission="sign_in:write",
    summary="Ask the sign-in provider for its configuration and keys",
    tags=["tenants"],
    status_code=200,
)
async def try_oidc(ctx: Context, tenant: TenantPath) -> OidcReport:
    return await tenants.try_oidc(ctx)


@post(
    "/api/auth/sso/join",
    operation_id="auth.sso_join",
    access="public",
    summary="Create the account of a first sign-in by a company",
    tags=["auth"],
    status_code=201,
)
async def join(ctx: Context, data: OidcLinkToken) -> Tenant:
    """By the link that was sent to the address. If it has an account, its owner signs in and confirms instead."""
    return await tenants.join_by_oidc_link(ctx, data.token)


@post(
    "/api/auth/sso/link",
    operation_id="auth.sso_link",
    access="person",
    summary="Confirm that a company's sign-in is mine",
    tags=["auth"],
    status_code=200,
)
async def link(ctx: Context, data: OidcLinkToken) -> Tenant:
    return await tenants.confirm_oidc_link(ctx, data.token)


ROUTES = (show_oidc, set_oidc, remove_oidc, try_oidc, join, link)
