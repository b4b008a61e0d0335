"""What it takes of Redis to recognise an event that comes again, for one tenant with few or many events.

By MEMORY USAGE of the buckets: what the whole server has in use moves meanwhile by as much as a tenant's events take.
"""

from bench.report import Row
from bench.stage import stage
from veloflux import tenants
from veloflux.context import Context
from veloflux.db import keys
from veloflux.metering import Event, record
from veloflux.metering.store import read_seen
from veloflux.tenants import EVERYTHING

NUMBERS = (100, 1_000, 3_000, 10_000, 100_000, 1_000_000)
BATCH = 500
TOGETHER = 50_000
"""So many events of several tenants, for the mean."""
BYTES, MORE_BELOW_1000 = 16, 400


async def measure() -> list[Row]:
    async with stage("everysec") as target:
        return [await _row(target.ctx, number) for number in NUMBERS]


async def _row(ctx: Context, number: int) -> Row:
    customers = [await _customer(ctx, f"Seen {number} {at}", number) for at in range(max(TOGETHER // number, 1))]
    sizes = [size for acme in customers for size in await _sizes(acme)]
    taken = sum(sizes) / len(customers)
    return Row(
        what=f"memory to recognise {number:,} events of a tenant",
        script="seen.py",
        figure=taken / number,
        unit="bytes an event",
        most=BYTES if number >= 1_000 else BYTES + MORE_BELOW_1000 / number,
        notes=f"{taken:,.0f} bytes in {len(sizes) / len(customers):,.0f} buckets",
    )


async def _sizes(ctx: Context) -> list[int]:
    """Bytes of each bucket."""
    state = await read_seen(ctx.db, ctx.tenant)
    names = [keys.seen(ctx.tenant, str(state.number), str(at)) for at in range(state.buckets)]
    return [sum(await ctx.db.every_master("MEMORY", "USAGE", name, "SAMPLES", "0")) for name in names]


async def _customer(ctx: Context, name: str, number: int) -> Context:
    """A tenant that has sent so many events."""
    tenant = await tenants.create_tenant(ctx, name, plan="enterprise")
    acme = ctx.within(tenants.scope_of(tenant), EVERYTHING)
    for start in range(0, number, BATCH):
        events = [Event("http.request", str(at), data={"bytes": 1}) for at in range(start, min(start + BATCH, number))]
        assert (await record(acme.parts, acme.tenant, events)).accepted == len(events)
    return acme
