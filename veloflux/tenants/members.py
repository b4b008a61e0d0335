"""Members: the tenant's slot alone decides who they are; a person's list of tenants only follows."""

import asyncio
import contextlib

import msgspec

from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import Conflict, LastOwner, NotFound, PermissionDenied, Unavailable
from veloflux.events import MemberJoined, MemberRemoved, OwnershipTransferred
from veloflux.identity import User, find_users
from veloflux.kit import clock, ids
from veloflux.kit.page import LIMIT, Page
from veloflux.tenants import holders, store
from veloflux.tenants.model import Member, MemberProfile, Tenant
from veloflux.tenants.permissions import head_role, require_grantable
from veloflux.transaction import Transaction, decide

KEPT = {
    "operator": "The last operator keeps this role; make somebody else operator first",
    "owner": "The last owner keeps this role; make somebody else owner first",
}


async def list_members(ctx: Context, cursor: str = "", limit: int = LIMIT) -> Page[MemberProfile]:
    """The tenant's members with their names, latest first."""
    page = await store.members_page(ctx, cursor, limit)
    people = await find_users(ctx.db, [member.id for member in page.items])
    return Page([_profile(member, people.get(member.id)) for member in page.items], page.next)


async def remove_member(ctx: Context, user: str) -> None:
    """End a membership at once. The last owner stays, since nobody else could let others in.

    :raises NotFound: the tenant has no such member.
    :raises PermissionDenied: the member may do more than the actor.
    :raises LastOwner: the member is the last one.
    """
    if not ids.is_id(user, "usr"):
        raise no_member()
    await decide(lambda: _remove(ctx, user))
    with contextlib.suppress(Unavailable):  # the worker does it again
        await store.project_membership(ctx.db, ctx.tenant, user)


async def transfer_ownership(ctx: Context, user: str) -> Member:
    """Make another member owner in the place of the acting one, who becomes admin; one commit.

    :raises NotFound: the tenant has no such member. :raises Conflict: the member is an owner already.
    :raises PermissionDenied: the actor is no owner in person.
    """
    if not ids.is_id(user, "usr"):
        raise no_member()
    return await decide(lambda: _transfer(ctx, user))


def join(tx: Transaction, user: str, role: str) -> None:
    """Make a person a member, as a part of a commit of the tenant; it fails if they are one."""
    tenant, now = tx.owner, clock.now_ms()
    tx.create(keys.member(tenant, user), Member(id=user, role=role, joined_at=now))
    tx.rank(keys.members(tenant), user, now)
    holders.hold(tx, role, user)
    if role == head_role(tenant):
        tx.add(keys.tenant(tenant), "owners", 1)
    tx.event(MemberJoined(user=user, role=role))


def give_role(tx: Transaction, tenant: Tenant, member: Member, role: str) -> Member:
    """Let a member have another role, as a part of a commit of the tenant.

    :raises LastOwner: nobody else has the role that somebody must have.
    """
    head = head_role(tenant.id)
    if member.role == head and tenant.owners < 2:
        raise LastOwner(KEPT[head])
    if head in (member.role, role):
        tx.expect(keys.tenant(tenant.id), "owners", str(tenant.owners))
        tx.add(keys.tenant(tenant.id), "owners", 1 if role == head else -1)
    holders.release(tx, member.role, member.id)
    holders.hold(tx, role, member.id)
    return tx.change(keys.member(tenant.id, member.id), member, msgspec.structs.replace(member, role=role))


async def _remove(ctx: Context, user: str) -> None:
    tenant, member = await asyncio.gather(
        store.find_tenant(ctx.db, ctx.tenant), store.find_member(ctx.db, ctx.tenant, user)
    )
    if member is None or tenant is None:
        raise no_member()
    require_grantable(ctx, member.role)
    tx = Transaction(ctx, tenant.id)
    holders.guard(ctx, tx)
    if member.role == head_role(tenant.id):
        if tenant.owners < 2:
            raise LastOwner(f"The last {member.role} cannot be removed; make somebody else {member.role} first")
        tx.expect(keys.tenant(tenant.id), "owners", str(tenant.owners))
        tx.add(keys.tenant(tenant.id), "owners", -1)
    tx.remove(keys.member(tenant.id, member.id), member)
    tx.unrank(keys.members(tenant.id), member.id)
    holders.release(tx, member.role, member.id)
    tx.event(MemberRemoved(user=member.id))
    await tx.commit()


async def _transfer(ctx: Context, user: str) -> Member:
    giver, taker = await asyncio.gather(
        store.find_member(ctx.db, ctx.tenant, ctx.actor.person or user), store.find_member(ctx.db, ctx.tenant, user)
    )
    if taker is None:
        raise no_member()
    if not ctx.actor.person or giver is None or giver.role != "owner":
        raise PermissionDenied("Only an owner, in person, can hand over the ownership")
    if taker.role == "owner":
        raise Conflict("This member is an owner already")
    tx = Transaction(ctx, ctx.tenant)
    tx.change(keys.member(ctx.tenant, giver.id), giver, msgspec.structs.replace(giver, role="admin"))
    owner = tx.change(keys.member(ctx.tenant, user), taker, msgspec.structs.replace(taker, role="owner"))
    holders.release(tx, taker.role, user)
    tx.event(OwnershipTransferred(giver=giver.id, taker=user))
    await tx.commit()
    for each in (giver.id, user):
        with contextlib.suppress(Unavailable):  # the worker does it again
            await store.project_membership(ctx.db, ctx.tenant, each)
    return owner


def _profile(member: Member, user: User | None) -> MemberProfile:
    return MemberProfile(
        id=member.id,
        name=user.name if user else "",
        email=user.email if user else "",
        role=member.role,
        joined_at=member.joined_at,
    )


def no_member() -> NotFound:
    """What those hear who name a person that is no member here."""
    return NotFound("This tenant has no such member")
