"""Routes of a tenant's members and invitations."""

from typing import Annotated

import msgspec
from litestar import delete, get, post
from msgspec import Meta

from veloflux import tenants
from veloflux.context import Context
from veloflux.identity.api import Email
from veloflux.kit import page
from veloflux.kit.page import Page
from veloflux.tenants.api import Limit, TenantPath
from veloflux.tenants.model import MemberProfile, Tenant
from veloflux.tenants.shown import InvitationShown

Role = Annotated[
    str,
    Meta(max_length=40, description="owner, admin, member, viewer, or one of the tenant's own", examples=["member"]),
]


class Invite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    email: Email
    role: Role = "member"


class AcceptInvitation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    token: Annotated[str, Meta(max_length=128, description="The last part of the invitation's link")]


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


ROUTES = (
    list_members,
    remove_member,
    transfer_ownership,
    invite,
    list_invitations,
    revoke_invitation,
    accept_invitation,
)
