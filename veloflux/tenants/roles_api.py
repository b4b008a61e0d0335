"""Routes of a tenant's roles."""

from typing import Annotated

import msgspec
from litestar import delete, get, post, put
from litestar.params import Parameter
from msgspec import Meta

from veloflux import tenants
from veloflux.context import Context
from veloflux.tenants.api import TenantPath
from veloflux.tenants.permissions import PERMISSIONS
from veloflux.tenants.roles import DESCRIPTION_MAX
from veloflux.tenants.shown import RoleShown

RolePath = Annotated[str, Parameter(description="Name of a role that the tenant made itself", max_length=40)]
Permissions = Annotated[
    list[Annotated[str, Meta(max_length=40)]],
    Meta(min_length=1, max_length=len(PERMISSIONS), examples=[["usage:read", "members:read"]]),
]
Description = Annotated[str, Meta(max_length=DESCRIPTION_MAX, examples=["Reads the figures, and nothing else"])]


class CreateRole(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=2, max_length=40, pattern="^[a-z][a-z0-9_]+$", examples=["auditor"])]
    permissions: Permissions
    description: Description = ""


class ChangeRole(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the role is from now on."""

    permissions: Permissions
    description: Description = ""


@get(
    "/api/tenants/{tenant:str}/roles",
    operation_id="roles.list",
    permission="members:read",
    summary="List roles, and what each may do",
    tags=["roles"],
)
async def list_roles(ctx: Context, tenant: TenantPath) -> list[RoleShown]:
    """Those that are built in, then the tenant's own."""
    return [RoleShown.of(role) for role in await tenants.list_roles(ctx)]


@post(
    "/api/tenants/{tenant:str}/roles",
    operation_id="roles.create",
    permission="roles:write",
    summary="Create a role",
    tags=["roles"],
    status_code=201,
)
async def create_role(ctx: Context, tenant: TenantPath, data: CreateRole) -> RoleShown:
    """Nobody gives a role a permission that they lack themselves."""
    return RoleShown.of(await tenants.create_role(ctx, data.name, data.permissions, data.description))


@put(
    "/api/tenants/{tenant:str}/roles/{role:str}",
    operation_id="roles.change",
    permission="roles:write",
    summary="Give one of the tenant's own roles other permissions",
    tags=["roles"],
)
async def change_role(ctx: Context, tenant: TenantPath, role: RolePath, data: ChangeRole) -> RoleShown:
    """It counts with the next request of whoever has the role."""
    return RoleShown.of(await tenants.change_role(ctx, role, data.permissions, data.description))


@delete(
    "/api/tenants/{tenant:str}/roles/{role:str}",
    operation_id="roles.delete",
    permission="roles:write",
    summary="Delete one of the tenant's own roles, which nobody has",
    tags=["roles"],
)
async def delete_role(ctx: Context, tenant: TenantPath, role: RolePath) -> None:
    await tenants.delete_role(ctx, role)


ROUTES = (list_roles, create_role, change_role, delete_role)
