"""Routes of a tenant's members and invitations."""

from typing import Annotated

import msgspec
from litestar import delete, get, post
from msgspec import Meta

from veloflux import tenants
from veloflux.context import Context
from veloflux.identity.api import Email, NewPassword, PersonName
from veloflux.identity.model import Language, Person
from veloflux.kit import page
from veloflux.kit.page import Page
from veloflux.tenants.api import Limit, TenantPath
from veloflux.tenants.model import Member, MemberProfile, Tenant
from veloflux.tenants.shown import InvitationShown

Role = Annotated[
    str,
    Meta(max_length=40, description="owner, admin, member, viewer, or one of the tenant's own", examples=["member"]),
]


class SetRole(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    role: Role


class Invite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    email: Email
    role: Role = "member"


InvitationToken = Annotated[
    str, Meta(min_length=1, max_length=128, description="The last part of the invitation's link", examples=["0.0.0"])
]


class AcceptInvitation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    token: InvitationToken


class JoinByInvitation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    token: InvitationToken
    name: PersonName
    password: NewPassword
    language: Language = "en"


class InvitationOpened(msgspec.Struct, frozen=True, kw_only=True):
    """`has_account`: sign in with it and accept; else join. `expires_at` is in epoch ms."""

    tenant_name: str
    email: str
    role: str
    has_account: bool
    expires_at: int


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """`token` goes into `Authorization: Bearer …`; `ends_at` is in epoch ms."""

    token: str
    ends_at: int
    person: Person
    tenant: Tenant


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
    "/api/tenants/{tenant:str}/members/{user:str}/role",
    operation_id="members.set_role",
    permission="members:write",
    summary="Give a member another role",
    tags=["members"],
    status_code=200,
)
async def set_role(ctx: Context, tenant: TenantPath, user: str, data: SetRole) -> Member:
    """It counts from the next request on. The last owner, or operator, keeps the role."""
    return await tenants.set_member_role(ctx, user, data.role)


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
    "/api/tenants/{tenant:str}/invitations/{invitation:str}/resend",
    operation_id="invitations.resend",
    permission="members:write",
    summary="Send an invitation again, by a new link",
    tags=["members"],
    status_code=200,
)
async def resend_invitation(ctx: Context, tenant: TenantPath, invitation: str) -> InvitationShown:
    """Good for a week from now; the link before is void."""
    return InvitationShown.of(await tenants.resend_invitation(ctx, invitation))


@post(
    "/api/auth/invitations/open",
    operation_id="invitations.open",
    access="public",
    summary="See what the link of an invitation leads to",
    tags=["members"],
    status_code=200,
)
async def open_invitation(ctx: Context, data: AcceptInvitation) -> InvitationOpened:
    opened = await tenants.open_invitation(ctx, data.token)
    return InvitationOpened(
        tenant_name=opened.tenant.name,
        email=opened.invitation.email,
        role=opened.invitation.role,
        has_account=opened.has_account,
        expires_at=opened.invitation.expires_at,
    )


@post(
    "/api/auth/invitations/join",
    operation_id="invitations.join",
    access="public",
    summary="Create the account of an invited address and accept",
    tags=["members"],
    status_code=201,
)
async def join_by_invitation(ctx: Context, data: JoinByInvitation) -> Joined:
    """The link came to the address and so proves it; no further e-mail is sent. Answers a session's token."""
    tenant, signed_in = await tenants.join_by_invitation(
        ctx, data.token, name=data.name, password=data.password, language=data.language
    )
    return Joined(token=signed_in.token, ends_at=signed_in.ends_at, person=signed_in.person, tenant=tenant)


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


ROUTES = (
    list_members,
    remove_member,
    set_role,
    transfer_ownership,
    invite,
    list_invitations,
    revoke_invitation,
    resend_invitation,
    open_invitation,
    join_by_invitation,
    accept_invitation,
)
