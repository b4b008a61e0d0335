"""Who may do what where: the one place that turns an actor and a tenant into permissions."""

import asyncio

import msgspec

from veloflux.context import PLATFORM, Actor, Context, Parts, Scope
from veloflux.errors import ImpersonationForbids, PermissionDenied
from veloflux.kit.http import Received
from veloflux.tenants import store
from veloflux.tenants.api_keys import authenticate_api_key, named_by
from veloflux.tenants.find import look_up, not_found, platform, scope_of, sought
from veloflux.tenants.life import closed, open_to
from veloflux.tenants.model import Tenant
from veloflux.tenants.origins import admit_page
from veloflux.tenants.permissions import OUTLASTING, held, permissions_of
from veloflux.tenants.second_factor_policy import admit


async def authorise(ctx: Context, ref: str, permission: str) -> Context:
    """The context within a tenant (slug or id), for an actor whose role there has the permission.

    Platform roles count in every tenant, beside the one that the actor has there. To whoever has no role, the tenant
    does not exist, in words and round trips.

    :raises NotFound: no such tenant, or no role in it.
    :raises PermissionDenied: no role with the permission.
    :raises SecondFactorNeeded: the tenant requires one, and the session has none.
    :raises OriginRefused: a page asks, of an origin that the tenant does not list.
    :raises TenantSuspended, TenantReadOnly: the tenant's state forbids it.
    """
    tenant, head = await asyncio.gather(sought(ctx, ref), platform_role(ctx))
    return await _within(ctx, ref, permission, tenant, head)


async def admit_program(parts: Parts, received: Received, ref: str, permission: str) -> Context:
    """Authenticate who asks with an API key or token, and authorise it as `authorise` does: in one round trip, as long
    as the process has met its slug of the tenant. `ref` "" is the tenant of the key.

    :raises NotAuthenticated, LimitReached: see `authenticate_api_key`.
    """
    own, id_ = named_by(received.token)
    asking = authenticate_api_key(parts, received.token, received.address)
    # A refusal too waits for both answers: when it comes says nothing of the tenant.
    actor, tenant = await asyncio.gather(asking, look_up(parts.db, ref or own, id_), return_exceptions=True)
    if isinstance(actor, BaseException):
        raise actor
    if isinstance(tenant, BaseException):
        raise tenant
    received.state["standing"] = actor.standing
    ctx = Context(parts=parts, actor=msgspec.structs.replace(actor, origin=received.elsewhere))
    return await _within(ctx, ref or own, permission, tenant, await platform_role(ctx))


async def _within(ctx: Context, ref: str, permission: str, tenant: Tenant | None, head: str | None) -> Context:
    """What `authorise` answers about a tenant that was read, to an actor with this role on the platform."""
    own = await _role(ctx, tenant.id if tenant and tenant.status != "deleted" else store.NOBODY)
    roles = [role for role in (head, own) if role]
    if tenant is None or not roles:
        raise not_found(ref)
    admit_page(ctx.actor, tenant)
    admit(ctx.actor, tenant)
    scope = scope_of(tenant)
    may = {role: held(role, ctx.actor.permissions, scope.roles) for role in roles}
    if not any(permission in its for its in may.values()):
        raise _lacking(scope, roles, permission)
    allowed = frozenset().union(*(its & open_to(tenant, role) for role, its in may.items()))
    if permission not in allowed:
        raise closed(tenant)
    if ctx.actor.impersonator:
        if permission in OUTLASTING:
            raise ImpersonationForbids("This would outlast the impersonation; only the person can do it")
        allowed -= OUTLASTING
    store.remember(ctx.actor.id, tenant)
    return ctx.within(scope, allowed)


async def authorise_platform(ctx: Context, permission: str) -> Context:
    """The context within the platform's tenant, for an actor whose platform role has the permission.

    :raises PermissionDenied: it has not, or the actor has none. :raises SecondFactorNeeded: as in `authorise`.
    """
    if ctx.actor.impersonator:
        raise ImpersonationForbids("This is for the team of the platform; end the impersonation first")
    own = await platform_permissions(ctx)
    if permission not in own:
        raise PermissionDenied(
            f"Your role on the platform does not include {permission}; ask an operator"
            if own
            else "Only an operator of this installation may do this"
        )
    tenant = await platform(ctx)
    admit(ctx.actor, tenant)
    return ctx.within(scope_of(tenant), own)


async def may_everywhere(ctx: Context, permission: str) -> bool:
    """Whether the actor's platform role has the permission, or the actor sits at the machine that this runs on."""
    return ctx.actor.id.startswith("cli:") or permission in await platform_permissions(ctx)


async def platform_permissions(ctx: Context) -> frozenset[str]:
    """What a member of the platform's tenant, or one of its keys, may do by their platform role; others nothing."""
    role = await platform_role(ctx)
    return held(role, ctx.actor.permissions, {}) if role else frozenset()


async def platform_role(ctx: Context) -> str | None:
    """The role that the actor has on the platform."""
    return await _role(ctx, PLATFORM)


async def platform_role_of(ctx: Context, user: str) -> str | None:
    """The role that a person has on the platform."""
    member = await store.find_member(ctx.db, PLATFORM, user)
    return member.role if member else None


def _lacking(scope: Scope, roles: list[str], permission: str) -> PermissionDenied:
    is_of_role = any(permission in permissions_of(role, scope.roles) for role in roles)
    whose = "The permissions of this API key do" if is_of_role else f"Your role here, {roles[-1]}, does"
    return PermissionDenied(f"{whose} not include {permission}; ask an owner or admin")


async def _role(ctx: Context, tenant: str) -> str | None:
    actor = ctx.actor
    if tenant == PLATFORM and actor.impersonator:
        return None  # whatever the person is there, or becomes meanwhile
    if actor.via not in ("", tenant):
        return None  # the session of another tenant's provider, who can claim to be anybody
    if actor.person:
        member = await store.find_member(ctx.db, tenant, actor.person)
        return member.role if member else None
    return actor.role if _is_key_of(actor, tenant) else None


def _is_key_of(actor: Actor, tenant: str) -> bool:
    return bool(actor.tenant) and actor.tenant == tenant
