"""Routes of usage."""

from datetime import date
from typing import Annotated

from litestar import get
from litestar.params import Parameter, QueryParameter

from veloflux.context import Context
from veloflux.metering.usage import Usage, WindowSize, read_usage

First = Annotated[date | None, QueryParameter(name="from", description="First day, in the tenant's zone")]
Last = Annotated[date | None, QueryParameter(name="to", description="Last day, included")]
MeterName = Annotated[str, Parameter(description="Name of a meter", max_length=64)]


@get(
    "/api/tenants/{tenant:str}/usage",
    operation_id="usage.read",
    permission="usage:read",
    summary="Read usage by hour, day or month",
    tags=["usage"],
)
async def usage(
    ctx: Context,
    tenant: str,
    *,
    meter: MeterName = "requests",
    window: WindowSize = "day",
    first: First = None,
    last: Last = None,
) -> Usage:
    """Without `from` and `to`, all that is kept. Windows without usage are left out."""
    return await read_usage(ctx, meter, window, first, last)


ROUTES = (usage,)
