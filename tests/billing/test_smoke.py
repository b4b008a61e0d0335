from datetime import datetime
from zoneinfo import ZoneInfo

from tests.customers import customer
from veloflux import billing, ledger, tenants
from veloflux.billing import store
from veloflux.billing.change import ChangeSubscription, change, preview
from veloflux.billing.start import Start, start
from veloflux.context import Context
from veloflux.metering import Event, record


def ms(text: str, zone: str = "America/Sao_Paulo") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


async def moved(ctx: Context, at: int) -> Context:
    tenant = await tenants.set_clock(ctx, "stopped", at)
    ctx = ctx.within(tenants.scope_of(tenant), ctx.permissions)
    await billing.advance(ctx)
    return ctx


async def test_smoke(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    acme = await moved(acme, ms("2026-01-31T10:00:00"))
    sub = await start(acme, Start(plan="pro"))
    print(sub)
    acme = await moved(acme, ms("2026-02-10T10:00:00"))
    print(
        await record(
            acme.parts,
            acme.tenant,
            [
                Event(type="http.request", id=str(n), source="a", at=ms("2026-02-09T10:00:00"), data={"bytes": 1})
                for n in range(3000)
            ],
        )
    )
    print(await preview(acme, sub.id, ChangeSubscription(plan="enterprise")))
    for day in ("2026-02-28T10:00:00", "2026-03-01T10:00:00", "2026-03-15T10:00:00", "2026-04-15T00:00:00"):
        acme = await moved(acme, ms(day))
        if day == "2026-03-15T10:00:00":
            await change(acme, sub.id, ChangeSubscription(plan="enterprise"))
    async for one in store.every_invoice(acme.db, acme.tenant):
        print(one.number, one.status, one.reason, one.totals and one.totals.total, one.period_start, one.period_end)
        for line in one.lines:
            print("   ", line)
    print(await store.subscription(acme, sub.id))
    print(await ledger.read_balances(acme.db, acme.tenant))
