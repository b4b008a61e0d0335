"""Who may do what where: the one place that turns an actor and a tenant into permissions."""

import asyncio

from veloflux.context import PLATFORM, Actor, Context
from veloflux.errors import PermissionDenied
from veloflux.tenants import store
from veloflux.tenants.find import find, not_found, platform, scope_of
from veloflux.tenants.life import closed, open_to
from veloflux.tenants.permissions import ROLES, held


async def authorise(ctx: Context, ref: str, permission: str) -> Context:
    """The context within a tenant (slug or id), for an actor whose role there has the permission.

    Operators have it everywhere. To whoever has no role there, the tenant does not exist.

    :raises NotFound: no such tenant, or no role in it.
    :raises PermissionDenied: a role without the permission.
    :raises TenantSuspended, TenantReadOnly: the tenant's state forbids it.
    """
    tenant, head = await asyncio.gather(find(ctx, ref), _role(ctx, PLATFORM))
    role = head or await _role(ctx, tenant.id)
    if role is None or (tenant.status == "deleted" and role != "operator"):
        raise not_found(ref)
    own = held(role, ctx.actor.permissions)
    if permission not in own:
        whose = (
            f"Your role here, {role}, does" if permission not in ROLES[role] else "The permissions of this API key do"
        )
        raise PermissionDenied(f"{whose} not include {permission}; ask an owner or admin")
    allowed = own & open_to(tenant, role)
    if permission not in allowed:
        raise closed(tenant)
    return ctx.within(scope_of(tenant), allowed)


async def as_operator(ctx: Context) -> Context:
    """The context within the platform's tenant.

    :raises PermissionDenied: the actor is no operator.
    """
    if not await is_operator(ctx):
        raise PermissionDenied("Only an operator of this installation may do this")
    return ctx.within(scope_of(await platform(ctx)), ROLES["operator"])


async def rules_everywhere(ctx: Context) -> bool:
    """Whether the actor is an operator, or sits at the machine that this runs on."""
    return ctx.actor.id.startswith("cli:") or await is_operator(ctx)


async def is_operator(ctx: Context) -> bool:
    """Whether a person is a member of the platform's tenant, or a key is one of its keys, with all permissions."""
    return ctx.actor.permissions is None and await _role(ctx, PLATFORM) == "operator"


async def _role(ctx: Context, tenant: str) -> str | None:
    actor = ctx.actor
    if actor.via not in ("", tenant):
        return None  # the session of another tenant's provider, who can claim to be anybody
    if actor.person:
        member = await store.find_member(ctx.db, tenant, actor.person)
        return member.role if member else None
    return actor.role if _is_key_of(actor, tenant) else None


def _is_key_of(actor: Actor, tenant: str) -> bool:
    return bool(actor.tenant) and actor.tenant == tenant
