"""The people of a tenant, and the invitations that wait for an answer."""

import asyncio

from litestar import get, post

from veloflux import tenants
from veloflux.kit import clock
from veloflux.kit.page import LIMIT_MAX
from veloflux.tenants import Invitation, permissions_of, roles_of
from veloflux.web.console.page import Html, Page


@get("/console/t/{tenant:str}/members", operation_id="console.members", permission="members:read")
async def members(page: Page) -> Html:
    return await _show(page)


@post(
    "/console/t/{tenant:str}/members/invite",
    operation_id="console.invitations.create",
    permission="members:write",
)
async def invite(page: Page) -> Html:
    with page.keeping_form():
        await tenants.invite(page.ctx, page.form["email"], page.form["role"])
        return page.go(f"{page.home}/members", done="invitations.create")
    return await _show(page)


@post(
    "/console/t/{tenant:str}/invitations/{invitation:str}/revoke",
    operation_id="console.invitations.revoke",
    permission="members:write",
)
async def revoke_invitation(page: Page, invitation: str) -> Html:
    with page.keeping_form():
        await tenants.revoke_invitation(page.ctx, invitation)
        return page.go(f"{page.home}/members", done="invitations.revoke")
    return await _show(page)


@post(
    "/console/t/{tenant:str}/invitations/{invitation:str}/resend",
    operation_id="console.invitations.resend",
    permission="members:write",
)
async def resend_invitation(page: Page, invitation: str) -> Html:
    with page.keeping_form():
        await tenants.resend_invitation(page.ctx, invitation)
        return page.go(f"{page.home}/members", done="invitations.resend")
    return await _show(page)


@post(
    "/console/t/{tenant:str}/members/{user:str}/remove",
    operation_id="console.members.remove",
    permission="members:write",
)
async def remove_member(page: Page, user: str) -> Html:
    with page.keeping_form():
        await tenants.remove_member(page.ctx, user)
        return page.go(f"{page.home}/members", done="members.remove")
    return await _show(page)


@post(
    "/console/t/{tenant:str}/members/{user:str}/transfer-ownership",
    operation_id="console.members.transfer_ownership",
    permission="owners:write",
)
async def transfer_ownership(page: Page, user: str) -> Html:
    with page.keeping_form():
        await tenants.transfer_ownership(page.ctx, user)
        return page.go(f"{page.home}/members", done="members.transfer_ownership")
    return await _show(page)


@post(
    "/console/t/{tenant:str}/members/{user:str}/role",
    operation_id="console.members.set_role",
    permission="members:write",
)
async def set_role(page: Page, user: str) -> Html:
    with page.keeping_form():
        await tenants.set_member_role(page.ctx, user, page.form["role"])
        return page.go(f"{page.home}/members", done="members.set_role")
    return await _show(page)


async def _show(page: Page) -> Html:
    people, invitations = await asyncio.gather(
        tenants.list_members(page.ctx, limit=LIMIT_MAX), tenants.list_invitations(page.ctx, limit=LIMIT_MAX)
    )
    return page.show(
        "members.html",
        at=f"{page.home}/members",
        members=people.items,
        invitations=[each for each in invitations.items if _waits(each)],
        roles=grantable(page),
        is_owner=any(each.id == page.ctx.actor.person and each.role == "owner" for each in people.items),
    )


def grantable(page: Page) -> list[str]:
    """The roles that the viewer can give here."""
    assert page.ctx.scope
    own = page.ctx.scope.roles
    named = [*roles_of(page.ctx.tenant), *sorted(own)]
    return [role for role in named if permissions_of(role, own) <= page.ctx.permissions]


def _waits(invitation: Invitation) -> bool:
    return invitation.status == "pending" and invitation.expires_at > clock.now_ms()


ROUTES = (
    members,
    invite,
    revoke_invitation,
    resend_invitation,
    remove_member,
    transfer_ownership,
    set_role,
)
