"""The role of a member, given anew; on the platform that of an operator or a colleague."""

import asyncio
import contextlib

from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import Unavailable
from veloflux.events import MemberRoleChanged
from veloflux.kit import ids
from veloflux.tenants import holders, store
from veloflux.tenants.access import authorise
from veloflux.tenants.members import give_role, no_member
from veloflux.tenants.model import Member
from veloflux.tenants.permissions import require_grantable, require_role
from veloflux.transaction import Transaction, decide

NEEDED = "members:write"


async def set_member_role(ctx: Context, user: str, role: str) -> Member:
    """Give a member another role; it counts from the next request on.

    :raises InputInvalid: there is no such role. :raises NotFound: the tenant has no such member.
    :raises PermissionDenied: the old or the new role may do more than the actor, or the actor's own role changed.
    :raises LastOwner: the last owner, or operator, would be one no longer.
    """
    require_role(ctx, role)
    if not ids.is_id(user, "usr"):
        raise no_member()
    member = await decide(lambda: _set(ctx, user, role))
    with contextlib.suppress(Unavailable):  # the worker does it again
        await store.project_membership(ctx.db, ctx.tenant, user)
    return member


async def _set(ctx: Context, user: str, role: str) -> Member:
    if ctx.actor.person:  # who was let in may have lost it meanwhile
        ctx = await authorise(ctx, ctx.tenant, NEEDED)
    tenant, member, acting = await asyncio.gather(
        store.find_tenant(ctx.db, ctx.tenant),
        store.find_member(ctx.db, ctx.tenant, user),
        store.find_member(ctx.db, ctx.tenant, ctx.actor.person or user),
    )
    if tenant is None or member is None:
        raise no_member()
    for each in (member.role, role):
        require_grantable(ctx, each)
    if member.role == role:
        return member
    tx = Transaction(ctx, tenant.id)
    holders.guard(ctx, tx)
    if acting and acting.id != user:  # of two who change each other's role, the second one's is not what it was
        tx.expect(keys.member(tenant.id, acting.id), "version", str(acting.version))
    changed = give_role(tx, tenant, member, role)
    tx.event(MemberRoleChanged(user=user, role=role))
    await tx.commit()
    return changed
