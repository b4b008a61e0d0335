"""What may be done in a tenant, and the roles: sets of permissions. Routes name the permission that they need."""

from collections.abc import Iterable, Mapping

from veloflux.context import PLATFORM, Context
from veloflux.errors import InputInvalid, PermissionDenied
from veloflux.tenants.platform_roles import HEAD, PLATFORM_PERMISSIONS, platform_roles

PERMISSIONS = {
    "tenant:read": "see the tenant's settings, plan and limits",
    "tenant:write": "change the tenant's settings, and a sandbox tenant's clock",
    "sign_in:write": "set how people sign in: the company's provider, a required second factor",
    "tenant:close": "archive, delete and restore the tenant",
    "tenant:suspend": "suspend and resume the tenant",
    "plan:write": "give the tenant another plan, and limits beside it",
    "credits:read": "see credits, and what is left of them",
    "credits:write": "give the tenant credits, and void them",
    "billing:read": "see subscriptions, invoices and the ledger",
    "billing:write": "change how the tenant is billed, its subscriptions and invoices",
    "usage:read": "see and export usage",
    "usage:write": "record usage and ask whether a request may pass",
    "api_keys:read": "see which API keys there are",
    "api_keys:write": "create and revoke API keys",
    "tokens:write": "make and revoke short-lived tokens",
    "members:read": "see members, invitations and roles",
    "members:write": "invite and remove members, and give them roles",
    "owners:write": "invite and remove owners, and make others owner",
    "roles:write": "create, change and delete the tenant's own roles",
    "audit:read": "read the audit trail",
    "jobs:read": "see the tenant's jobs",
    "jobs:write": "send dead jobs back to work",
}
EVERYTHING = frozenset(PERMISSIONS | PLATFORM_PERMISSIONS)
OWNERS = frozenset(PERMISSIONS) - {"tenant:suspend", "plan:write", "credits:write", "billing:write"}
OUTLASTING = frozenset(
    {"api_keys:write", "tokens:write", "members:write", "owners:write", "roles:write", "sign_in:write", "tenant:close"}
)
"""What nobody may who acts as somebody else, and no short-lived token: new keys, members and providers let in whoever
made them long after that is over, and a tenant that is closed does not open again by itself."""
PLATFORM_ROLES = platform_roles(PERMISSIONS)
ROLES: dict[str, frozenset[str]] = {
    **PLATFORM_ROLES,
    "owner": OWNERS,
    "admin": OWNERS - {"owners:write", "tenant:close"},
    "member": frozenset(
        {
            "tenant:read",
            "credits:read",
            "usage:read",
            "usage:write",
            "api_keys:read",
            "tokens:write",
            "members:read",
        }
    ),
    "viewer": frozenset({"tenant:read", "credits:read", "usage:read"}),
}


def head_role(tenant: str) -> str:
    """The role that somebody in a tenant must always have: owner, and operator in the platform's tenant."""
    return HEAD if tenant == PLATFORM else "owner"


def roles_of(tenant: str) -> list[str]:
    """The built-in roles that a tenant's members and keys can have; a tenant's own roles are in roles.py.

    >>> roles_of("ten_1"), roles_of("ten_0")
    (['owner', 'admin', 'member', 'viewer'], ['operator', 'support', 'finance', 'read-only'])
    """
    return [role for role in ROLES if (role in PLATFORM_ROLES) == (tenant == PLATFORM)]


def permissions_of(role: str, custom: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """All that a role may: a built-in one, or one of the tenant's own; nothing if there is no such role.

    >>> sorted(permissions_of("viewer", {})), permissions_of("gone", {})
    (['credits:read', 'tenant:read', 'usage:read'], frozenset())
    """
    return ROLES[role] if role in ROLES else custom.get(role, frozenset())


def require_role(ctx: Context, role: str) -> None:
    """:raises InputInvalid: the tenant has no such role."""
    roles = [*roles_of(ctx.tenant), *own_roles(ctx)]
    if role not in roles:
        raise InputInvalid(f"There is no role {role[:60]!r}; choose one of {', '.join(roles)}", field="role")


def held(role: str, own: Iterable[str] | None, custom: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The permissions of a role, or those of them that an API key of this role has of its own.

    >>> sorted(held("viewer", ["usage:read", "usage:write"], {}))
    ['usage:read']
    """
    allowed = permissions_of(role, custom)
    return allowed if own is None else allowed.intersection(own)


def require_grantable(ctx: Context, role: str, own: Iterable[str] | None = None) -> None:
    """Nobody can give, or take from others, what they lack themselves.

    :raises PermissionDenied: the role, or what a key has of it, has a permission that the actor does not have here.
    """
    if not held(role, own, own_roles(ctx)) <= ctx.permissions:
        raise PermissionDenied(f"Only who may do everything that the role {role} may can give or take it")


def own_roles(ctx: Context) -> Mapping[str, frozenset[str]]:
    """The permissions of the roles that the tenant made itself, by their names."""
    assert ctx.scope, "this use case needs a tenant"
    return ctx.scope.roles
