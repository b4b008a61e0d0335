"""What may be done in a tenant, and the roles: sets of permissions. Routes name the permission that they need."""

from collections.abc import Iterable

from veloflux.context import PLATFORM, Context
from veloflux.errors import InputInvalid, PermissionDenied
from veloflux.tenants.platform_roles import HEAD, PLATFORM_PERMISSIONS, platform_roles

PERMISSIONS = {
    "tenant:read": "see the tenant's settings, plan and limits",
    "tenant:write": "change the tenant's settings, and a sandbox tenant's clock",
    "tenant:close": "archive, delete and restore the tenant",
    "tenant:suspend": "suspend and resume the tenant",
    "usage:read": "see and export usage",
    "usage:write": "record usage and ask whether a request may pass",
    "api_keys:read": "see which API keys there are",
    "api_keys:write": "create and revoke API keys",
    "members:read": "see members and invitations",
    "members:write": "invite and remove members",
    "owners:write": "invite and remove owners",
    "audit:read": "read the audit trail",
    "jobs:read": "see the tenant's jobs",
    "jobs:write": "send dead jobs back to work",
}
EVERYTHING = frozenset(PERMISSIONS | PLATFORM_PERMISSIONS)
OWNERS = frozenset(PERMISSIONS) - {"tenant:suspend"}
PLATFORM_ROLES = platform_roles(PERMISSIONS)
ROLES: dict[str, frozenset[str]] = {
    **PLATFORM_ROLES,
    "owner": OWNERS,
    "admin": OWNERS - {"owners:write", "tenant:close"},
    "member": frozenset({"tenant:read", "usage:read", "usage:write", "api_keys:read", "members:read"}),
    "viewer": frozenset({"tenant:read", "usage:read"}),
}


def head_role(tenant: str) -> str:
    """The role that somebody in a tenant must always have: owner, and operator in the platform's tenant."""
    return HEAD if tenant == PLATFORM else "owner"


def roles_of(tenant: str) -> list[str]:
    """The roles that a tenant's members and keys can have.

    >>> roles_of("ten_1"), roles_of("ten_0")
    (['owner', 'admin', 'member', 'viewer'], ['operator', 'support', 'finance', 'read-only'])
    """
    return [role for role in ROLES if (role in PLATFORM_ROLES) == (tenant == PLATFORM)]


def require_role(tenant: str, role: str) -> None:
    """:raises InputInvalid: the tenant has no such role."""
    if role not in roles_of(tenant):
        roles = ", ".join(roles_of(tenant))
        raise InputInvalid(f"There is no role {role[:60]!r}; choose one of {roles}", field="role")


def held(role: str, own: Iterable[str] | None) -> frozenset[str]:
    """The permissions of a role, or those of them that an API key of this role has of its own.

    >>> sorted(held("viewer", ["usage:read", "usage:write"]))
    ['usage:read']
    """
    return ROLES[role] if own is None else ROLES[role].intersection(own)


def require_grantable(ctx: Context, role: str, own: Iterable[str] | None = None) -> None:
    """Nobody can give, or take from others, what they lack themselves.

    :raises PermissionDenied: the role, or what a key has of it, has a permission that the actor does not have here.
    """
    if not held(role, own) <= ctx.permissions:
        raise PermissionDenied(f"Only who may do everything that the role {role} may can give or take it")
