"""The usage of a tenant by day: the same rows, and the same bytes, for the console, the API and the command."""

from collections.abc import AsyncIterator

from veloflux.context import Context
from veloflux.exports.formats import Format, UsageRow, encoded
from veloflux.metering import days, meters_used
from veloflux.metering.measure import shown


def export_usage(ctx: Context, form: Format) -> AsyncIterator[bytes]:
    """All usage that is kept, by meter and day of the tenant's zone, as pieces of one document."""
    return encoded(usage_rows(ctx), form)


async def usage_rows(ctx: Context) -> AsyncIterator[UsageRow]:
    """One row a meter and day, in the order of the catalogue and of the calendar; days without usage are left out."""
    assert ctx.scope
    for meter in await meters_used(ctx):
        async for on, amount in days(ctx, meter.key):
            yield UsageRow(ctx.scope.slug, meter.name, on.isoformat(), shown(amount, meter.places))
