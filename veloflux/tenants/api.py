"""Routes of tenants, their members, invitations and API keys, and of the operator's account."""

from typing import Annotated

import msgspec
from litestar import delete, get, post, put
from litestar.params import Parameter
from msgspec import Meta

from veloflux import tenants
from veloflux.context import Context
from veloflux.identity.api import Email, NewPassword, PersonName, Registered
from veloflux.identity.model import Language
from veloflux.kit import clock, page
from veloflux.kit.page import Page
from veloflux.tenants import key_terms
from veloflux.tenants.api_keys import NAME_MAX as KEY_NAME_MAX
from veloflux.tenants.api_keys import OVERLAP_MAX_S
from veloflux.tenants.clock import ClockMode
from veloflux.tenants.create_tenant import FIRST_PLAN, NAME_MAX
from veloflux.tenants.life import REASON_MAX
from veloflux.tenants.model import KeyTerms, MemberProfile, Mode, Tenant
from veloflux.tenants.shown import ApiKeyCreated, ApiKeyShown, InvitationShown, LeakedKeyShown
from veloflux.tenants.slug import LENGTH_MAX

TenantPath = Annotated[str, Parameter(description="Slug or id of the tenant", max_length=64)]
Limit = Annotated[int, Parameter(ge=1, le=page.LIMIT_MAX)]
ClockTime = Annotated[
    int,
    Meta(ge=clock.EARLIEST, lt=clock.LATEST, description="Epoch ms, from 2000 to 2099", examples=[1_700_000_000_000]),
]
KeyExpiry = Annotated[
    int,
    Meta(ge=clock.EARLIEST, lt=clock.LATEST, description="Epoch ms, by the real clock", examples=[1_900_000_000_000]),
]
KeyPermissions = Annotated[
    list[Annotated[str, Meta(max_length=40)]],
    Meta(max_length=100, description="Some of the role's permissions; null: all", examples=[["usage:write"]]),
]
Role = Annotated[str, Meta(max_length=40, description="owner, admin, member or viewer", examples=["member"])]


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
    plan: Annotated[str, Meta(max_length=64, examples=["free"])] = FIRST_PLAN
    zone: Annotated[str, Meta(max_length=64, examples=["America/Sao_Paulo"], description="IANA time zone")] = (
        "America/Sao_Paulo"
    )
    currency: Annotated[str, Meta(max_length=3, examples=["BRL"], description="ISO 4217")] = "BRL"
    language: Language = "pt-BR"
    mode: Annotated[Mode, Meta(description="A sandbox has test keys and a clock that can be moved")] = "live"


class SetClock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    mode: Annotated[ClockMode, Meta(description="Real time, running from `at`, or stopped at `at`")]
    at: ClockTime | None = None


class RenameTenant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is empty stays as it is."""

    name: Annotated[str, Meta(max_length=NAME_MAX, examples=["Semicomplete Ltda."])] = ""
    slug: Annotated[str, Meta(max_length=LENGTH_MAX, examples=["semicomplete-2"])] = ""


class SuspendTenant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: Annotated[str, Meta(min_length=1, max_length=REASON_MAX, examples=["Three invoices are overdue"])]


class DeleteTenant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    confirm: Annotated[str, Meta(max_length=LENGTH_MAX, examples=["semicomplete"], description="The tenant's slug")]


class Invite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    email: Email
    role: Role = "member"


class AcceptInvitation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    token: Annotated[str, Meta(max_length=128, description="The last part of the invitation's link")]


class CreateApiKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=KEY_NAME_MAX, examples=["production server"])]
    role: Annotated[str, Meta(max_length=40, description="Empty: member, and operator in the platform's tenant")] = ""
    permissions: KeyPermissions | None = None
    expires_at: KeyExpiry | None = None
    addresses: Annotated[
        list[Annotated[str, Meta(max_length=64)]],
        Meta(
            max_length=key_terms.ADDRESSES_MAX,
            description="IP networks that calls may come from; empty: all",
            examples=[["203.0.113.0/24"]],
        ),
    ] = []
    metadata: Annotated[dict[str, str], Meta(max_length=key_terms.METADATA_MAX, examples=[{"team": "web"}])] = (
        msgspec.field(default_factory=dict)
    )

    @property
    def terms(self) -> KeyTerms:
        own = None if self.permissions is None else tuple(self.permissions)
        return KeyTerms(
            permissions=own, expires_at=self.expires_at, addresses=tuple(self.addresses), metadata=self.metadata
        )


class RotateApiKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    overlap_s: Annotated[
        int,
        Meta(ge=0, le=OVERLAP_MAX_S, description="Seconds that the old secret works on; 0: none", examples=[86_400]),
    ] = 0


class RevokeLeakedKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    prefix: Annotated[str, Meta(max_length=80, description="How the key begins, as lists show it, or the whole key")]


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


@get("/api/tenants", operation_id="tenants.list", access="known", summary="List tenants", tags=["tenants"])
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


@put(
    "/api/tenants/{tenant:str}/clock",
    operation_id="tenants.set_clock",
    permission="tenant:write",
    summary="Set a sandbox tenant's clock",
    tags=["tenants"],
)
async def set_clock(ctx: Context, tenant: TenantPath, data: SetClock) -> Tenant:
    return await tenants.set_clock(ctx, data.mode, data.at)


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


@get(
    "/api/tenants/{tenant:str}/members",
    operation_id="members.list",
    permission="members:read",
    summary="List members",
    tags=["members"],
)
async def list_members(
    ctx: Context, tenant: TenantPath, cursor: str = "", limit: Limit = page.LIMIT
) -> Page[MemberProfile]:
    return await tenants.list_members(ctx, cursor, limit)


@delete(
    "/api/tenants/{tenant:str}/members/{user:str}",
    operation_id="members.remove",
    permission="members:write",
    summary="Remove a member",
    tags=["members"],
)
async def remove_member(ctx: Context, tenant: TenantPath, user: str) -> None:
    await tenants.remove_member(ctx, user)


@post(
    "/api/tenants/{tenant:str}/members/{user:str}/transfer-ownership",
    operation_id="members.transfer_ownership",
    permission="owners:write",
    summary="Hand the own ownership over to another member",
    tags=["members"],
    status_code=204,
)
async def transfer_ownership(ctx: Context, tenant: TenantPath, user: str) -> None:
    """The acting owner becomes admin."""
    await tenants.transfer_ownership(ctx, user)


@post(
    "/api/tenants/{tenant:str}/invitations",
    operation_id="invitations.create",
    permission="members:write",
    summary="Invite a person by e-mail",
    tags=["members"],
    status_code=201,
)
async def invite(ctx: Context, tenant: TenantPath, data: Invite) -> InvitationShown:
    return InvitationShown.of(await tenants.invite(ctx, data.email, data.role))


@get(
    "/api/tenants/{tenant:str}/invitations",
    operation_id="invitations.list",
    permission="members:read",
    summary="List invitations",
    tags=["members"],
)
async def list_invitations(
    ctx: Context, tenant: TenantPath, cursor: str = "", limit: Limit = page.LIMIT
) -> Page[InvitationShown]:
    found = await tenants.list_invitations(ctx, cursor, limit)
    return Page([InvitationShown.of(invitation) for invitation in found.items], found.next)


@delete(
    "/api/tenants/{tenant:str}/invitations/{invitation:str}",
    operation_id="invitations.revoke",
    permission="members:write",
    summary="Revoke an invitation",
    tags=["members"],
)
async def revoke_invitation(ctx: Context, tenant: TenantPath, invitation: str) -> None:
    await tenants.revoke_invitation(ctx, invitation)


@post(
    "/api/auth/invitations/accept",
    operation_id="invitations.accept",
    access="person",
    summary="Accept an invitation",
    tags=["members"],
    status_code=200,
)
async def accept_invitation(ctx: Context, data: AcceptInvitation) -> Tenant:
    """The account must have the e-mail address that was invited."""
    return await tenants.accept_invitation(ctx, data.token)


@post(
    "/api/tenants/{tenant:str}/api-keys",
    operation_id="api_keys.create",
    permission="api_keys:write",
    summary="Create an API key",
    tags=["api-keys"],
    status_code=201,
)
async def create_api_key(ctx: Context, tenant: TenantPath, data: CreateApiKey) -> ApiKeyCreated:
    return ApiKeyCreated.of(await tenants.create_api_key(ctx, data.name, data.role, data.terms))


@post(
    "/api/tenants/{tenant:str}/api-keys/{key:str}/rotate",
    operation_id="api_keys.rotate",
    permission="api_keys:write",
    summary="Rotate an API key: a successor with the same terms",
    tags=["api-keys"],
    status_code=201,
)
async def rotate_api_key(ctx: Context, tenant: TenantPath, key: str, data: RotateApiKey) -> ApiKeyCreated:
    """The key that is rotated works until the overlap is over. A key is rotated once; then rotate its successor."""
    return ApiKeyCreated.of(await tenants.rotate_api_key(ctx, key, data.overlap_s))


@get(
    "/api/tenants/{tenant:str}/api-keys",
    operation_id="api_keys.list",
    permission="api_keys:read",
    summary="List API keys",
    tags=["api-keys"],
)
async def list_api_keys(
    ctx: Context, tenant: TenantPath, cursor: str = "", limit: Limit = page.LIMIT
) -> Page[ApiKeyShown]:
    found = await tenants.list_api_keys(ctx, cursor, limit)
    return Page([ApiKeyShown.of(key) for key in found.items], found.next)


@delete(
    "/api/tenants/{tenant:str}/api-keys/{key:str}",
    operation_id="api_keys.revoke",
    permission="api_keys:write",
    summary="Revoke an API key",
    tags=["api-keys"],
)
async def revoke_api_key(ctx: Context, tenant: TenantPath, key: str) -> None:
    await tenants.revoke_api_key(ctx, key)


@post(
    "/api/api-keys/revoke",
    operation_id="api_keys.revoke_leaked",
    access="operator",
    summary="Revoke a leaked API key of any tenant, by its beginning",
    tags=["api-keys"],
    status_code=200,
)
async def revoke_leaked_key(ctx: Context, data: RevokeLeakedKey) -> LeakedKeyShown:
    return LeakedKeyShown.of(await tenants.revoke_leaked_key(ctx, data.prefix))


ROUTES = (
    create_operator,
    create_tenant,
    list_tenants,
    show_tenant,
    set_clock,
    rename_tenant,
    suspend_tenant,
    resume_tenant,
    archive_tenant,
    delete_tenant,
    restore_tenant,
    list_members,
    remove_member,
    transfer_ownership,
    invite,
    list_invitations,
    revoke_invitation,
    accept_invitation,
    create_api_key,
    rotate_api_key,
    list_api_keys,
    revoke_api_key,
    revoke_leaked_key,
)
