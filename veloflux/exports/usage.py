"""The usage of a tenant by day: the same rows, and the same bytes, for the console, the API and the command."""

from collections.abc import AsyncIterator

from veloflux.context import Context
from veloflux.exports.formats import Format, UsageRow, encoded
from veloflux.metering import meters_used, read_usage


def export_usage(ctx: Context, form: Format) -> AsyncIterator[bytes]:
    """All usage that is kept, by meter and day of the tenant's zone, as pieces of one document."""
    return encoded(usage_rows(ctx), UsageRow, form)


async def usage_rows(ctx: Context) -> AsyncIterator[UsageRow]:
    """One row a meter and day, in the order of the policy and of the calendar; days without usage are left out.

    The value is what the meter's aggregation says of the day: unit-hours of a weighted sum, the median of percentiles.
    """
    assert ctx.scope
    for meter in await meters_used(ctx):
        usage = await read_usage(ctx, meter.name, "day", version=meter.version)
        for row in usage.rows:
            yield UsageRow(ctx.scope.slug, meter.key, row.start, row.value)
