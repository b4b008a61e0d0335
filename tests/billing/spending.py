"""A tenant with a subscription to a plan of a test's own, whose clock the test moves, and what it uses."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from tests.customers import customer, of
from veloflux import billing, tenants
from veloflux.billing import store
from veloflux.billing.model import Subscription
from veloflux.billing.subscriptions.start import Start, start
from veloflux.context import Context
from veloflux.kit import ids
from veloflux.metering import Event, record
from veloflux.plans import Meter, catalogue
from veloflux.plans.catalogue import Catalogue, Plan
from veloflux.plans.prices import FixedCharge, UsageCharge, UsagePrice

ZONE = "America/Sao_Paulo"
START, MIDDLE, END = "2026-03-01T00:00:00", "2026-03-16T12:00:00", "2026-04-01T00:00:00"
AFTER_GRACE = "2026-04-10T00:00:00"


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE)).timestamp() * 1000)


def meter(name: str, places: int = 0) -> Meter:
    """Sums the property `n` of events named as the meter."""
    return Meter(name=name, event_type=name, aggregation="sum", value_property="n", unit="u", places=places)


def per_unit(name: str, included: str, unit: str, **more: Any) -> UsageCharge:
    return UsageCharge(meter=name, included=included, prices={"USD": UsagePrice(unit=unit)}, **more)


def charge(name: str, model: str, price: dict[str, Any], **more: Any) -> UsageCharge:
    row = {"meter": name, "model": model, "prices": {"USD": price}, **more}
    return msgspec.convert(row, UsageCharge)


def plan(*usage: UsageCharge, base: str = "29.99", id_: str = "hybrid", **more: Any) -> Plan:
    fixed = (FixedCharge(name="base", prices={"USD": base}),) if base else ()
    return Plan(id=id_, name=id_.title(), fixed=fixed, usage=usage, **more)


def selling(*plans: Plan, **more: Any) -> Catalogue:
    """The shipped catalogue and these plans, with a meter for each that they charge for."""
    shipped = catalogue()
    known = {one.name for one in shipped.meters}
    names = sorted({name for one in plans for name in one.meters} - known)
    return msgspec.structs.replace(
        shipped, meters=(*shipped.meters, *map(meter, names)), plans=(*shipped.plans, *plans), **more
    )


async def subscribed(ctx: Context, of_: Catalogue, plan_: str = "hybrid", **more: Any) -> tuple[Context, Subscription]:
    await tenants.apply_catalogue(ctx, of_)
    inside = await moved(await customer(ctx, plan="free", clock=f"={ms(START)}"), START)
    return inside, await start(inside, Start(plan=plan_, currency="USD", **more))


async def moved(ctx: Context, to: str) -> Context:
    """The clock shows a local time; what is due by then is done."""
    inside = of(ctx, await tenants.set_clock(ctx, "stopped", ms(to)))
    await billing.advance(inside)
    return inside


async def use(ctx: Context, at: str, **quantities: int | float) -> Context:
    """Events that come at their time, a local one, to which the clock is moved if it is before it."""
    if ctx.now() < ms(at):
        ctx = await moved(ctx, at)
    events = [Event(type=name, id=ids.new("e"), source="t", at=ms(at), data={"n": n}) for name, n in quantities.items()]
    result = await record(ctx.parts, ctx.tenant, events)
    assert result.accepted == len(events), result
    return ctx


async def invoiced(ctx: Context, sub: Subscription) -> list[Any]:
    """The invoices of a subscription, the oldest first."""
    found = [one async for one in store.every_invoice(ctx.db, ctx.tenant) if one.subscription == sub.id]
    return found[::-1]
