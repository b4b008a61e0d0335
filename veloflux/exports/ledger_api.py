"""The routes of the ledger's exports."""

from collections.abc import AsyncIterator

from litestar import get
from litestar.response import Stream

from veloflux.context import Context
from veloflux.exports.api import Form
from veloflux.exports.formats import FORMATS, Format
from veloflux.exports.ledger import BalanceRow, EntryRow, export_balances, export_postings
from veloflux.kit.http import inlined_schema
from veloflux.ledger.api import BALANCES, POSTINGS, Through
from veloflux.tenants.api import TenantPath


@get(
    f"{POSTINGS}/export",
    operation_id="ledger.export_postings",
    permission="billing:read",
    summary="Export the ledger, entry by entry",
    tags=["ledger"],
    media_type="text/csv",
)
async def postings(ctx: Context, tenant: TenantPath, form: Form = "csv") -> Stream:
    """A row an entry, the oldest first; times in UTC, amounts in major units."""
    return _document(ctx, "ledger", form, export_postings(ctx, form))


@get(
    f"{BALANCES}/export",
    operation_id="ledger.export_balances",
    permission="billing:read",
    summary="Export the trial balance",
    tags=["ledger"],
    media_type="text/csv",
)
async def balances(ctx: Context, tenant: TenantPath, form: Form = "csv", through: Through = "") -> Stream:
    """A row an account and currency, in major units."""
    return _document(ctx, "balances", form, await export_balances(ctx, form, through))


def _document(ctx: Context, name: str, form: Format, pieces: AsyncIterator[bytes]) -> Stream:
    assert ctx.scope
    saved_as = f'attachment; filename="{name}-{ctx.scope.slug}.{form}"'
    # As a header, because the framework would let the route's media type win over the answer's own.
    return Stream(pieces, headers={"content-type": FORMATS[form], "content-disposition": saved_as})


ROUTES = (postings, balances)
CONTENT = {
    path.replace(":str", ""): {
        "text/csv": {"schema": {"type": "string"}},
        "application/json": {"schema": inlined_schema(rows)},
    }
    for path, rows in ((f"{POSTINGS}/export", list[EntryRow]), (f"{BALANCES}/export", list[BalanceRow]))
}
