"""The people who run the installation, and what each may do: they are invited and removed as any tenant's members."""

import asyncio
import contextlib

import msgspec

from veloflux.context import PLATFORM, Context
from veloflux.db import keys
from veloflux.errors import Conflict, NotFound, PermissionDenied, Unavailable
from veloflux.events import PlatformRoleChanged
from veloflux.kit import ids
from veloflux.tenants import store
from veloflux.tenants.find import platform
from veloflux.tenants.model import Member
from veloflux.tenants.permissions import ROLES, require_grantable, require_role
from veloflux.tenants.platform_roles import HEAD
from veloflux.transaction import Transaction, decide


async def set_platform_role(ctx: Context, user: str, role: str) -> Member:
    """Give a member of the platform's tenant another role; it counts from the next request on.

    :raises InputInvalid: there is no such role. :raises NotFound: the platform has no such member.
    :raises PermissionDenied: the old or the new role may do more than the actor, or the actor's own role changed.
    :raises Conflict: the last operator would be one no longer.
    """
    require_role(ctx, role)
    if not ids.is_id(user, "usr"):
        raise _no_member()
    member = await decide(lambda: _set(ctx, user, role))
    with contextlib.suppress(Unavailable):  # the worker does it again
        await store.project_membership(ctx.db, PLATFORM, user)
    return member


async def _set(ctx: Context, user: str, role: str) -> Member:
    tenant, member, actor = await asyncio.gather(
        platform(ctx), store.find_member(ctx.db, PLATFORM, user), _acting_member(ctx)
    )
    if member is None:
        raise _no_member()
    for each in (member.role, role):
        require_grantable(ctx, each)
    if member.role == role:
        return member
    tx = Transaction(ctx, PLATFORM)
    if actor and actor.id != user:  # two who demote each other: the second one's role is not what it was
        tx.expect(keys.member(PLATFORM, actor.id), "version", str(actor.version))
    if HEAD in (member.role, role):
        if member.role == HEAD and tenant.owners < 2:
            raise Conflict("The last operator keeps this role; make somebody else operator first")
        tx.expect(keys.tenant(PLATFORM), "owners", str(tenant.owners))
        tx.add(keys.tenant(PLATFORM), "owners", -1 if member.role == HEAD else 1)
    changed = tx.change(keys.member(PLATFORM, user), member, msgspec.structs.replace(member, role=role))
    tx.event(PlatformRoleChanged(user=user, role=role))
    await tx.commit()
    return changed


async def _acting_member(ctx: Context) -> Member | None:
    """The acting person's own membership, read again: it may have changed since the request was let in."""
    if not ctx.actor.person:
        return None
    actor = await store.find_member(ctx.db, PLATFORM, ctx.actor.person)
    if actor is None or "members:write" not in ROLES[actor.role]:
        raise PermissionDenied("Your role on the platform was changed; load the page again")
    return actor


def _no_member() -> NotFound:
    return NotFound("The platform has no such member")
