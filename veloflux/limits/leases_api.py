"""Routes of living reservations, for people: what is held, and settling one by hand."""

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import Parameter
from msgspec import Meta

from veloflux.context import Context
from veloflux.kit import page
from veloflux.kit.page import Page
from veloflux.limits.api import whole
from veloflux.limits.leases import Held, commit_by_hand, list_reservations, release_by_hand
from veloflux.limits.model import COST_MAX
from veloflux.limits.reservations_api import SettledAnswer, settled
from veloflux.tenants.api import Limit, TenantPath

MeterQuery = Annotated[str, Parameter(description="Only of this meter", max_length=64)]
ReservationPath = Annotated[str, Parameter(description="As the list has it", max_length=100)]


class Commit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    cost: Annotated[float, Meta(ge=0, le=COST_MAX, description="Units used", examples=[1])]


@get(
    "/api/tenants/{tenant:str}/reservations",
    operation_id="reservations.list",
    permission="usage:read",
    summary="List what a tenant's reservations hold now",
    tags=["limits"],
)
async def list_(
    ctx: Context, tenant: TenantPath, meter: MeterQuery = "", cursor: str = "", limit: Limit = page.LIMIT
) -> Page[Held]:
    """What ends first at the head. What is settled, or whose lease is over, holds nothing and is not listed.

    A reservation holds units for work whose size is known afterwards; `POST /api/reservations` makes one.
    """
    return await list_reservations(ctx, meter, cursor, limit)


@post(
    "/api/tenants/{tenant:str}/reservations/{reservation:str}/commit",
    operation_id="reservations.commit",
    permission="usage:write",
    summary="Count what was used of a reservation, by hand",
    tags=["limits"],
    status_code=200,
)
async def commit_(ctx: Context, tenant: TenantPath, reservation: ReservationPath, data: Commit) -> SettledAnswer:
    """As the program that made it would, for one that cannot any more."""
    return settled(await commit_by_hand(ctx, reservation, whole(data.cost)))


@post(
    "/api/tenants/{tenant:str}/reservations/{reservation:str}/release",
    operation_id="reservations.release",
    permission="usage:write",
    summary="Give back what a reservation holds, by hand",
    tags=["limits"],
    status_code=200,
)
async def release_(ctx: Context, tenant: TenantPath, reservation: ReservationPath) -> SettledAnswer:
    """It counts nothing. A program that commits it afterwards is told that it was released."""
    return settled(await release_by_hand(ctx, reservation))


ROUTES = (list_, commit_, release_)
