"""What it takes of Redis to recognise an event that comes again, for one tenant with few or many events."""

from bench.report import Row
from bench.stage import stage, used_memory
from veloflux import tenants
from veloflux.context import Context
from veloflux.db import keys
from veloflux.metering import Event, record
from veloflux.metering.store import read_seen
from veloflux.tenants import EVERYTHING

NUMBERS = (100, 1_000, 3_000, 10_000, 100_000, 1_000_000)
BATCH = 500
TOGETHER = 50_000
"""Events of several tenants are measured together, so that nothing else counts."""
BYTES, MORE_BELOW_1000 = 16, 400


async def measure() -> list[Row]:
    async with stage("everysec") as target:
        return [await _row(target.ctx, number) for number in NUMBERS]


async def _row(ctx: Context, number: int) -> Row:
    customers = [await _customer(ctx, f"Seen {number} {at}", number) for at in range(max(TOGETHER // number, 1))]
    whole, buckets = await used_memory(ctx), 0
    for acme in customers:
        state = await read_seen(acme.db, acme.tenant)
        await acme.db.call("HDEL", keys.limits(acme.tenant), "seen")
        for at in range(state.buckets):
            await acme.db.call("DEL", keys.seen(acme.tenant, str(state.number), str(at)))
        buckets += state.buckets
    taken = (whole - await used_memory(ctx)) / len(customers)
    return Row(
        what=f"memory to recognise {number:,} events of a tenant",
        script="seen.py",
        figure=taken / number,
        unit="bytes an event",
        most=BYTES if number >= 1_000 else BYTES + MORE_BELOW_1000 / number,
        notes=f"{taken:,.0f} bytes in {buckets / len(customers):,.0f} buckets",
    )


async def _customer(ctx: Context, name: str, number: int) -> Context:
    """A tenant that has sent so many events."""
    tenant = await tenants.create_tenant(ctx, name, plan="enterprise")
    acme = ctx.within(tenants.scope_of(tenant), EVERYTHING)
    for start in range(0, number, BATCH):
        events = [Event("http.request", str(at), data={"bytes": 1}) for at in range(start, min(start + BATCH, number))]
        assert (await record(acme.parts, acme.tenant, events)).accepted == len(events)
    return acme
