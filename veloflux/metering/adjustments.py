"""Events that came after their month was invoiced: counted on their day as well, and kept for the next invoice."""

from decimal import Decimal

import msgspec

from veloflux.context import Context
from veloflux.db import keys
from veloflux.metering import store
from veloflux.metering.measure import shown
from veloflux.metering.meters import all_meters


class Adjustment(msgspec.Struct, frozen=True, kw_only=True):
    """What came late for a month of the tenant's zone, in the meter's unit."""

    month: str
    meter: str
    version: int
    unit: str
    value: int | Decimal


class Adjustments(msgspec.Struct, frozen=True, kw_only=True):
    """`closed_through`: epoch ms until which usage is invoiced, None: nothing is."""

    zone: str
    closed_through: int | None
    rows: list[Adjustment]


async def read_adjustments(ctx: Context) -> Adjustments:
    """All late usage that is kept, by month, then by meter.

    :raises NotFound: no such tenant.
    """
    assert ctx.scope
    meters = await all_meters(ctx)
    late = await store.hashes(ctx.db, [keys.adjustments(ctx.tenant, meter.key) for meter in meters])
    rows = [
        Adjustment(
            month=month,
            meter=meter.name,
            version=meter.version,
            unit=meter.unit,
            value=shown(int(amount), meter.places),
        )
        for meter, months in zip(meters, late, strict=True)
        for month, amount in months.items()
    ]
    return Adjustments(
        zone=ctx.scope.zone,
        closed_through=await store.closed_through(ctx.db, ctx.tenant),
        rows=sorted(rows, key=lambda row: row.month),
    )
