"""Routes of usage."""

from typing import Annotated

from litestar import get
from litestar.params import Parameter, QueryParameter

from veloflux.context import Context
from veloflux.metering.adjustments import Adjustments, read_adjustments
from veloflux.metering.usage import Usage, WindowSize, read_usage
from veloflux.metering.usage_windows import moment

First = Annotated[
    str,
    QueryParameter(name="from", description="First day (2026-11-22), or a time (2026-11-22T08:00:00Z)", max_length=40),
]
Last = Annotated[
    str, QueryParameter(name="to", description="Last day, included, or a time, not included", max_length=40)
]
MeterName = Annotated[str, Parameter(description="Name of a meter", max_length=64)]
GroupBy = Annotated[
    list[str] | None, QueryParameter(name="group_by", description="A property that the meter groups by; several times")
]
Filter = Annotated[
    list[str] | None, QueryParameter(name="filter", description="property=value; several times; of one property, or")
]
Zone = Annotated[str, Parameter(description="IANA time zone of the windows; the tenant's by default", max_length=64)]
Version = Annotated[int | None, Parameter(description="Version of the meter; the newest by default", ge=1)]


@get(
    "/api/tenants/{tenant:str}/usage",
    operation_id="usage.read",
    permission="usage:read",
    summary="Read usage by minute, hour, day or month",
    tags=["usage"],
)
async def usage(
    ctx: Context,
    tenant: str,
    *,
    meter: MeterName = "requests",
    window: WindowSize = "day",
    first: First = "",
    last: Last = "",
    group_by: GroupBy = None,
    filters: Filter = None,
    zone: Zone = "",
    version: Version = None,
) -> Usage:
    """Without `from` and `to`, all that is kept. A window is whole, wherever in it they lie. Windows without usage are
    left out, but for those of a weighted sum, whose level goes on."""
    return await read_usage(
        ctx,
        meter,
        window,
        moment(first) if first else None,
        moment(last) if last else None,
        group_by=group_by or (),
        filters=filters or (),
        zone=zone,
        version=version,
    )


@get(
    "/api/tenants/{tenant:str}/usage/adjustments",
    operation_id="usage.adjustments",
    permission="usage:read",
    summary="List usage that came after its month was invoiced",
    tags=["usage"],
)
async def adjustments(ctx: Context, tenant: str) -> Adjustments:
    """It is counted on its day, and waits here for the next invoice."""
    return await read_adjustments(ctx)


ROUTES = (usage, adjustments)
