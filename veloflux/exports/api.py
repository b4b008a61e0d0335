"""The route of the usage export."""

from typing import Annotated

from litestar import get
from litestar.params import QueryParameter
from litestar.response import Stream

from veloflux.context import Context
from veloflux.exports.formats import FORMATS, Format
from veloflux.exports.usage import export_usage

Form = Annotated[Format, QueryParameter(name="format", description="csv or json")]


@get(
    "/api/tenants/{tenant:str}/usage/export",
    operation_id="usage.export",
    permission="usage:read",
    summary="Export usage by day",
    tags=["usage"],
    media_type="text/csv",
)
async def export(ctx: Context, tenant: str, form: Form = "csv") -> Stream:
    """Rows of tenant, meter, date and value; the date is a day of the tenant's zone."""
    assert ctx.scope
    name = f'attachment; filename="usage-{ctx.scope.slug}.{form}"'
    return Stream(export_usage(ctx, form), media_type=FORMATS[form], headers={"content-disposition": name})


ROUTES = (export,)
