"""The roles of those who run the installation: members of the platform's tenant, and its service keys.

A platform role is one set of permissions: those of tenants, which count in every tenant, and those of the platform. A
route of the platform names the one that it needs (`platform="users:read"`). Messages in the outbox hold links that
let their reader in as somebody else: who only reads has no `outbox:read`.
"""

from collections.abc import Iterable

HEAD = "operator"
"""The role that somebody must always have."""
PLATFORM_PERMISSIONS = {
    "tenants:read": "see all tenants",
    "tenants:write": "create tenants on any plan, without joining them",
    "users:read": "see all people, where they are members and when they were last seen",
    "users:write": "create, rename, disable and delete people",
    "users:sign_out": "end all sessions of a person",
    "users:impersonate": "act as a person for a time, with a reason",
    "outbox:read": "read the messages that were sent",
    "plans:read": "see meters and earlier versions of them, and how far tenants follow the catalogue",
    "plans:write": "change meters and plans",
}
_READING = frozenset({"plans:read", "tenants:read", "users:read"})


def platform_roles(of_tenants: Iterable[str]) -> dict[str, frozenset[str]]:
    """What each platform role may do.

    :param of_tenants: all permissions of tenants.
    """
    all_ = frozenset(of_tenants)
    reads = frozenset(permission for permission in all_ if permission.endswith(":read"))
    return {
        HEAD: all_ | PLATFORM_PERMISSIONS.keys(),
        "support": reads | _READING | {"users:sign_out", "users:impersonate"},
        "finance": frozenset(
            {"tenant:read", "credits:read", "billing:read", "billing:write", "usage:read", "tenants:read", "plans:read"}
        ),
        "read-only": reads | _READING,
    }
