"""The route of the usage export."""

from typing import Annotated

from litestar import get
from litestar.params import QueryParameter
from litestar.response import Stream

from veloflux.context import Context
from veloflux.exports.formats import FORMATS, Format, UsageRow
from veloflux.exports.usage import export_usage
from veloflux.kit.http import inlined_schema

PATH = "/api/tenants/{tenant}/usage/export"
Form = Annotated[Format, QueryParameter(name="format", description="csv or json")]


@get(
    PATH.replace("{tenant}", "{tenant:str}"),
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
    # As a header, because the framework would let the route's media type win over the answer's own.
    return Stream(export_usage(ctx, form), headers={"content-type": FORMATS[form], "content-disposition": name})


ROUTES = (export,)
CONTENT = {
    "text/csv": {"schema": {"type": "string"}},
    "application/json": {"schema": inlined_schema(list[UsageRow])},
}
