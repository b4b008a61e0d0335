"""Routes of the people who run the installation."""

from typing import Annotated

import msgspec
from litestar import post
from msgspec import Meta

from veloflux import tenants
from veloflux.context import Context
from veloflux.tenants.model import Member


class SetPlatformRole(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    role: Annotated[
        str, Meta(max_length=40, description="operator, support, finance or read-only", examples=["support"])
    ]


@post(
    "/api/admin/operators/{user:str}/role",
    operation_id="operator.set_role",
    platform="members:write",
    summary="Give a member of the platform another role",
    tags=["admin"],
    status_code=200,
)
async def set_role(ctx: Context, user: str, data: SetPlatformRole) -> Member:
    """The last operator keeps the role. To invite and remove people, use the members of the tenant `platform`."""
    return await tenants.set_platform_role(ctx, user, data.role)


ROUTES = (set_role,)
