"""Routes by which operators change the catalogue."""

from typing import Annotated

from litestar import get, post, put
from litestar.params import Parameter

from veloflux import tenants
from veloflux.context import Context
from veloflux.plans import Catalogue, Meter, read_catalogue
from veloflux.tenants.apply_catalogue import Applied
from veloflux.tenants.model import Rollout
from veloflux.tenants.shown import Meters

MeterPath = Annotated[str, Parameter(description="Name of the meter", max_length=64)]


@put(
    "/api/plans",
    operation_id="plans.apply",
    platform="plans:write",
    summary="Change the catalogue of meters and plans",
    tags=["plans"],
)
async def apply_catalogue(ctx: Context, data: Catalogue, dry_run: bool = False) -> Applied:
    """The whole catalogue. A meter that would count otherwise gets its next version, whatever the body says, as does
    a plan that would be billed otherwise: subscriptions stay on the version that they have until they are moved.

    With `version`, the one that this was made from: refused if another one is in force. It holds for each tenant from
    the moment at which its policy is compiled, see `plans.rollout`. A plan that tenants have cannot be removed.
    """
    return await tenants.apply_catalogue(ctx, data, dry_run=dry_run)


@get(
    "/api/plans/rollout",
    operation_id="plans.rollout",
    platform="plans:read",
    summary="Show how far tenants follow the last change of the catalogue",
    tags=["plans"],
)
async def show_rollout(ctx: Context) -> Rollout:
    return await tenants.read_rollout(ctx)


@get(
    "/api/meters",
    operation_id="meters.list",
    platform="plans:read",
    summary="List meters, and their earlier versions",
    tags=["plans"],
)
async def list_meters(ctx: Context) -> Meters:
    found = await read_catalogue(ctx.db)
    return Meters(meters=found.meters, former=found.former)


@post(
    "/api/meters",
    operation_id="meters.add",
    platform="plans:write",
    summary="Add a meter",
    tags=["plans"],
    status_code=201,
)
async def add_meter(ctx: Context, data: Meter) -> Meter:
    """It counts from then on. A name that was in use before gets the next version."""
    return await tenants.add_meter(ctx, data)


@put(
    "/api/meters/{meter:str}",
    operation_id="meters.change",
    platform="plans:write",
    summary="Change a meter",
    tags=["plans"],
)
async def change_meter(ctx: Context, meter: MeterPath, data: Meter) -> Meter:
    """Display name and unit change in place; anything else makes the next version, which begins at nothing."""
    return await tenants.change_meter(ctx, meter, data)


ROUTES = (apply_catalogue, show_rollout, list_meters, add_meter, change_meter)
