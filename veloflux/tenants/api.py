"""Routes of tenants and the operator's account; of a tenant's people and keys: members_api.py, key_api.py."""

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import Parameter
from msgspec import Meta

from veloflux import tenants
from veloflux.context import Context
from veloflux.identity.api import Email, NewPassword, PersonName, Registered
from veloflux.identity.model import Language
from veloflux.kit import page
from veloflux.kit.page import Page
from veloflux.tenants.create_tenant import NAME_MAX
from veloflux.tenants.life import REASON_MAX
from veloflux.tenants.model import Mode, Tenant
from veloflux.tenants.slug import LENGTH_MAX

TenantPath = Annotated[str, Parameter(description="Slug or id of the tenant", max_length=64)]
Limit = Annotated[int, Parameter(ge=1, le=page.LIMIT_MAX)]


class CreateOperator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    token: Annotated[str, Meta(max_length=64, description="The last part of the setup link")]
    name: PersonName
    email: Email
    password: NewPassword


class CreateTenant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=NAME_MAX, examples=["Semicomplete"])]
    slug: Annotated[
        str, Meta(max_length=LENGTH_MAX, examples=["semicomplete"], description="Empty: made from the name")
    ] = ""
    plan: Annotated[str, Meta(max_length=64, examples=["free"], description="Empty: the first of the catalogue")] = ""
    zone: Annotated[str, Meta(max_length=64, examples=["America/Sao_Paulo"], description="IANA time zone")] = (
        "America/Sao_Paulo"
    )
    currency: Annotated[str, Meta(max_length=3, examples=["BRL"], description="ISO 4217")] = "BRL"
    language: Language = "pt-BR"
    mode: Annotated[Mode, Meta(description="A sandbox has test keys and a clock that can be moved")] = "live"


class RenameTenant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is empty stays as it is."""

    name: Annotated[str, Meta(max_length=NAME_MAX, examples=["Semicomplete Ltda."])] = ""
    slug: Annotated[str, Meta(max_length=LENGTH_MAX, examples=["semicomplete-2"])] = ""


class SuspendTenant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: Annotated[str, Meta(min_length=1, max_length=REASON_MAX, examples=["Three invoices are overdue"])]


class DeleteTenant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    confirm: Annotated[str, Meta(max_length=LENGTH_MAX, examples=["semicomplete"], description="The tenant's slug")]


@post(
    "/api/auth/operator",
    operation_id="operator.create",
    access="public",
    summary="Create the operator's account by the setup link",
    tags=["auth"],
    status_code=201,
)
async def create_operator(ctx: Context, data: CreateOperator) -> Registered:
    user = await tenants.create_operator(ctx, data.token, name=data.name, email=data.email, password=data.password)
    return Registered(user.name, user.email)


@post(
    "/api/tenants",
    operation_id="tenants.create",
    access="known",
    summary="Create a tenant",
    tags=["tenants"],
    status_code=201,
)
async def create_tenant(ctx: Context, data: CreateTenant) -> Tenant:
    """A person becomes its owner. Operators and service keys create tenants on any plan, without joining them."""
    return await tenants.create_tenant(
        ctx,
        data.name,
        slug=data.slug,
        plan=data.plan,
        zone=data.zone,
        currency=data.currency,
        language=data.language,
        mode=data.mode,
    )


@get("/api/tenants", operation_id="tenants.list", access="known", sso=True, summary="List tenants", tags=["tenants"])
async def list_tenants(
    ctx: Context, cursor: str = "", limit: Limit = page.LIMIT, archived: bool = False
) -> Page[Tenant]:
    """Those that the actor is a member of; operators see all. `archived`: instead, those that can be restored."""
    return await tenants.list_tenants(ctx, cursor, limit, archived=archived)


@get(
    "/api/tenants/{tenant:str}",
    operation_id="tenants.show",
    permission="tenant:read",
    summary="Show a tenant",
    tags=["tenants"],
)
async def show_tenant(ctx: Context, tenant: TenantPath) -> Tenant:
    return await tenants.find(ctx, ctx.tenant)


@post(
    "/api/tenants/{tenant:str}/rename",
    operation_id="tenants.rename",
    permission="tenant:write",
    summary="Give a tenant another name or slug",
    tags=["tenants"],
    status_code=200,
)
async def rename_tenant(ctx: Context, tenant: TenantPath, data: RenameTenant) -> Tenant:
    """The old slug is free for others at once: addresses that hold it lead nowhere, those with the id stay."""
    return await tenants.rename_tenant(ctx, data.name, data.slug)


@post(
    "/api/tenants/{tenant:str}/suspend",
    operation_id="tenants.suspend",
    permission="tenant:suspend",
    summary="Suspend a tenant",
    tags=["tenants"],
    status_code=200,
)
async def suspend_tenant(ctx: Context, tenant: TenantPath, data: SuspendTenant) -> Tenant:
    """Its members and keys are refused from the next request on (`tenant_suspended`)."""
    return await tenants.suspend_tenant(ctx, data.reason)


@post(
    "/api/tenants/{tenant:str}/resume",
    operation_id="tenants.resume",
    permission="tenant:suspend",
    summary="End a tenant's suspension",
    tags=["tenants"],
    status_code=200,
)
async def resume_tenant(ctx: Context, tenant: TenantPath) -> Tenant:
    return await tenants.resume_tenant(ctx)


@post(
    "/api/tenants/{tenant:str}/archive",
    operation_id="tenants.archive",
    permission="tenant:close",
    summary="Archive a tenant",
    tags=["tenants"],
    status_code=200,
)
async def archive_tenant(ctx: Context, tenant: TenantPath) -> Tenant:
    """It can be read and restored, nothing else (`tenant_read_only`), and is not in the lists."""
    return await tenants.archive_tenant(ctx)


@post(
    "/api/tenants/{tenant:str}/delete",
    operation_id="tenants.delete",
    permission="tenant:close",
    summary="Delete a tenant after days of grace",
    tags=["tenants"],
    status_code=200,
)
async def delete_tenant(ctx: Context, tenant: TenantPath, data: DeleteTenant) -> Tenant:
    """At `delete_at` it ends for good; until then it is as if archived."""
    return await tenants.delete_tenant(ctx, data.confirm)


@post(
    "/api/tenants/{tenant:str}/restore",
    operation_id="tenants.restore",
    permission="tenant:close",
    summary="Take a tenant out of the archive, or off the way to its deletion",
    tags=["tenants"],
    status_code=200,
)
async def restore_tenant(ctx: Context, tenant: TenantPath) -> Tenant:
    return await tenants.restore_tenant(ctx)


ROUTES = (
    create_operator,
    create_tenant,
    list_tenants,
    show_tenant,
    rename_tenant,
    suspend_tenant,
    resume_tenant,
    archive_tenant,
    delete_tenant,
    restore_tenant,
)
