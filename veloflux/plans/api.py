"""The route of the catalogue."""

from litestar import get

from veloflux.context import Context
from veloflux.plans.catalogue import Catalogue
from veloflux.plans.store import read_catalogue


@get(
    "/api/plans", operation_id="plans.list", access="session", sso=True, summary="List plans and meters", tags=["plans"]
)
async def list_plans(ctx: Context) -> Catalogue:
    """What is measured, what each plan allows and costs; add-ons, coupons and taxes."""
    return await read_catalogue(ctx.db)


ROUTES = (list_plans,)
