"""Roles that a tenant makes itself: a name, a description and a set of permissions. They are a part of its document.

What authorises a request reads the tenant anyway, and the script that decides a check reads its limits: a change of a
role counts with the next request of whoever has it, and costs no round trip.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from veloflux.context import PLATFORM, Context
from veloflux.db import keys
from veloflux.errors import Conflict, InputInvalid, NameTaken, NotFound, PermissionDenied
from veloflux.events import Event, RoleChanged, RoleCreated, RoleDeleted
from veloflux.kit.text import one_line
from veloflux.tenants import holders, store
from veloflux.tenants.find import find
from veloflux.tenants.model import CustomRole, Tenant
from veloflux.tenants.permissions import OWNERS, ROLES, roles_of
from veloflux.transaction import Transaction, decide

ROLES_MAX = 20
NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")
DESCRIPTION_MAX = 200
HOLDERS_TOLD = 5


class Role(NamedTuple):
    """A role of a tenant, built in or its own."""

    name: str
    description: str
    permissions: tuple[str, ...]
    custom: bool


async def list_roles(ctx: Context) -> list[Role]:
    """The roles that the tenant's members and keys can have: the built-in ones, then its own by name."""
    tenant = await find(ctx, ctx.tenant)
    built_in = [Role(name, "", tuple(sorted(ROLES[name])), False) for name in roles_of(tenant.id)]
    return built_in + [_own(name, role) for name, role in sorted(tenant.roles.items())]


async def create_role(ctx: Context, name: str, permissions: Sequence[str], description: str = "") -> Role:
    """Make a role that the tenant's members, invitations and API keys can have.

    :raises InputInvalid: name, permissions or description. :raises NameTaken: there is a role of this name.
    :raises PermissionDenied: the role may more than the actor. :raises Conflict: the tenant has 20 roles of its own.
    """
    if not NAME.fullmatch(name):
        raise InputInvalid("A role's name has 2 to 40 small letters, digits and _, a letter first", field="name")
    role = _checked(ctx, permissions, description)
    return await decide(lambda: _create(ctx, name, role))


async def change_role(ctx: Context, name: str, permissions: Sequence[str], description: str = "") -> Role:
    """Give one of the tenant's own roles other permissions; whoever has it may do the new with their next request.

    :raises NotFound: the tenant has no such role of its own. :raises InputInvalid: permissions or description.
    :raises PermissionDenied: the role may, or would, do more than the actor.
    """
    role = _checked(ctx, permissions, description)
    return await decide(lambda: _change(ctx, name, role))


async def delete_role(ctx: Context, name: str) -> None:
    """Delete one of the tenant's own roles, which nobody has any more.

    :raises NotFound: the tenant has no such role of its own. :raises Conflict: who has it, by ids.
    :raises PermissionDenied: the role may more than the actor.
    """
    await decide(lambda: _delete(ctx, name))


def _checked(ctx: Context, permissions: Sequence[str], description: str) -> CustomRole:
    if ctx.tenant == PLATFORM:
        raise Conflict("The platform's own tenant has no roles but its own")
    if not permissions:
        raise InputInvalid("Name at least one permission", field="permissions")
    if strange := sorted(set(permissions) - OWNERS):
        raise InputInvalid(f"No role of a tenant can have the permission {strange[0][:60]!r}", field="permissions")
    _require_held(ctx, permissions)
    text = description and one_line(description, "A role's description", DESCRIPTION_MAX, field="description")
    return CustomRole(description=text, permissions=tuple(sorted(set(permissions))))


def _require_held(ctx: Context, permissions: Sequence[str]) -> None:
    if lacking := sorted(set(permissions) - ctx.permissions):
        raise PermissionDenied(f"Nobody can give or take what they lack themselves; you lack {lacking[0]}")


async def _create(ctx: Context, name: str, role: CustomRole) -> Role:
    tenant = await find(ctx, ctx.tenant)
    if name in tenant.roles or name in ROLES:
        raise NameTaken("There is a role of this name; choose another one", field="name")
    if len(tenant.roles) >= ROLES_MAX:
        raise Conflict(f"A tenant has at most {ROLES_MAX} roles of its own; delete one first")
    await _commit(ctx, tenant, tenant.roles | {name: role}, RoleCreated(role=name))
    return _own(name, role)


async def _change(ctx: Context, name: str, role: CustomRole) -> Role:
    tenant, old = await _find(ctx, name)
    _require_held(ctx, old.permissions)
    if role != old:
        await _commit(ctx, tenant, tenant.roles | {name: role}, RoleChanged(role=name))
    return _own(name, role)


async def _delete(ctx: Context, name: str) -> None:
    tenant, old = await _find(ctx, name)
    _require_held(ctx, old.permissions)
    if having := await store.role_holders(ctx.db, tenant.id, name, HOLDERS_TOLD):
        raise Conflict(f"Somebody has this role: {', '.join(having)}; remove or revoke them first")
    others = {other: role for other, role in tenant.roles.items() if other != name}
    await _commit(ctx, tenant, others, RoleDeleted(role=name), gone=name)


async def _find(ctx: Context, name: str) -> tuple[Tenant, CustomRole]:
    tenant = await find(ctx, ctx.tenant)
    if name not in tenant.roles:
        raise NotFound("This tenant has no such role of its own")
    return tenant, tenant.roles[name]


async def _commit(ctx: Context, old: Tenant, roles: dict[str, CustomRole], event: Event, *, gone: str = "") -> None:
    tx = Transaction(ctx, old.id)
    holders.guard(ctx, tx)
    tx.change(keys.tenant(old.id), old, msgspec.structs.replace(old, roles=roles))
    if gone:
        tx.expect_absent(keys.role_holders(old.id, gone))
        tx.drop(keys.limits(old.id), f"role:{gone}")
    else:
        tx.put(keys.limits(old.id), {f"role:{name}": _listed(role) for name, role in roles.items()})
    tx.event(event)
    await tx.commit()


def _listed(role: CustomRole) -> str:
    return msgspec.json.encode(role.permissions).decode()


def _own(name: str, role: CustomRole) -> Role:
    return Role(name, role.description, role.permissions, True)
