"""A sandbox tenant that subscribes to what `shop.toml` sells, as its clock is played."""

import itertools
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from tests.customers import of
from veloflux import billing, ledger, tenants
from veloflux.billing import store
from veloflux.billing.documents_say import documents_say
from veloflux.billing.model import CreditNote, Invoice, Profile
from veloflux.billing.states import INVOICE
from veloflux.billing.subscriptions.start import Start, start
from veloflux.context import Context
from veloflux.db import documents, keys
from veloflux.ledger.check import check_ledger
from veloflux.metering import Event, record
from veloflux.plans.catalogue import parse

SHOP = parse((Path(__file__).parent / "shop.toml").read_text("utf-8"))
NUMBERS = itertools.count()


class Told(NamedTuple):
    """What an invoice says in short: why it was made, its lines as kinds and amounts, what it comes to."""

    reason: str
    lines: list[tuple[str, int]]
    total: int


def ms(text: str, zone: str = "UTC") -> int:
    """Epoch ms of an ISO date or time that the clocks of a zone show."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


async def opened(ctx: Context) -> Context:
    """The shop's catalogue is in force; limits take their time on a busy machine."""
    await tenants.apply_catalogue(ctx, SHOP)
    patient = msgspec.structs.replace(ctx.settings, check_timeout_ms=10_000)
    return msgspec.structs.replace(ctx, parts=msgspec.structs.replace(ctx.parts, settings=patient))


async def tenant(ctx: Context, at: str, *, name: str = "Acme", zone: str = "UTC", **profile: Any) -> Context:
    """Within a new sandbox tenant, whose clock stands at a time of its zone."""
    made = await tenants.create_tenant(ctx, name, zone=zone, currency="USD", mode="sandbox")
    inside = of(ctx, made)
    if profile:
        fields = documents.to_fields(Profile(id=made.id, **profile))
        await ctx.db.call("HSET", keys.billing(made.id), *(part for pair in fields.items() for part in pair))
    return await on(inside, at)


async def on(ctx: Context, at: str | int) -> Context:
    """The tenant's clock at a time, an ISO text in its zone or epoch ms, with all done that is due by it."""
    assert ctx.scope
    moment = at if isinstance(at, int) else ms(at, ctx.scope.zone)
    moved = of(ctx, await tenants.set_clock(ctx, "stopped", moment))
    await billing.advance(moved)
    return moved


async def subscribed(ctx: Context, at: str, plan: str, **wanted: Any) -> tuple[Context, str]:
    """A tenant that begins a subscription at a time, and the subscription's id."""
    acme = await tenant(await opened(ctx), at)
    return acme, (await start(acme, Start(plan=plan, **wanted))).id


async def used(
    ctx: Context, count: int, at: str | int, type_: str = "http.request", *, backfill: bool = False, **data: Any
) -> None:
    """So many events at a time, each with an id of its own; a `backfill` may be of long ago."""
    assert ctx.scope
    moment = at if isinstance(at, int) else ms(at, ctx.scope.zone)
    events = [Event(type=type_, id=str(next(NUMBERS)), source="t", at=moment, data=data) for _ in range(count)]
    for first in range(0, count, 1_000):
        result = await record(ctx.parts, ctx.tenant, events[first : first + 1_000], backfill=backfill)
        assert result.accepted == len(events[first : first + 1_000]), result


async def invoices(ctx: Context) -> list[Invoice]:
    """All of the tenant's, the oldest first."""
    found = [one async for one in store.every_invoice(ctx.db, ctx.tenant)]
    return sorted(found, key=lambda one: (one.issued_at or one.final_at, one.number))


async def bills(ctx: Context) -> list[Told]:
    """The tenant's final invoices, the oldest first."""
    return [told(one) for one in await invoices(ctx) if one.status != "draft"]


def told(invoice: Invoice) -> Told:
    assert invoice.totals
    return Told(invoice.reason, [(line.kind, line.amount) for line in invoice.lines], invoice.totals.total)


async def credit_notes(ctx: Context) -> list[CreditNote]:
    return (await store.credit_notes(ctx.db, ctx.tenant, "", 100)).items


async def balance(ctx: Context, account: str, currency: str = "USD") -> int:
    """What an account holds: a debit is positive."""
    found = await ledger.read_balances(ctx.db, ctx.tenant)
    return {(one.name, one.currency): amount for one, amount in found.items()}.get((account, currency), 0)


async def proven(ctx: Context, *, alone: bool = True) -> None:
    """What holds of every tenant at every moment: lines sum to totals, the ledger to zero, and it says what the
    documents say; a tenant's numbers have no gaps, where it is `alone` in its row."""
    found = await invoices(ctx)
    for one in found:
        assert one.status in INVOICE.states
        if totals := one.totals:
            assert sum(line.amount for line in one.lines) == totals.subtotal
            assert sum(line.discount for line in one.lines) == totals.discount
            exclusive = sum(tax.amount for tax in totals.taxes if not tax.inclusive)
            assert totals.total == totals.subtotal - totals.discount + exclusive
            assert totals.total >= 0
            assert 0 <= one.credit <= totals.net
    lacking = {one.id for one in found if any(line.kind == "balance" for line in one.lines)}
    assert {note.invoice for note in await credit_notes(ctx)} == lacking, "an invoice below zero has a credit note"
    due: dict[str, int] = {}
    wallet: dict[str, int] = {}
    for one in found:
        asked = one.totals.net - one.credit - one.credited - one.paid if one.totals else 0
        due[one.currency] = due.get(one.currency, 0) + asked
        wallet[one.currency] = wallet.get(one.currency, 0) + one.credit
    for note in await credit_notes(ctx):
        wallet[note.currency] = wallet.get(note.currency, 0) - note.to_wallet
    for says in ({"receivable": due, "credit": wallet}, await documents_say(ctx.db, ctx.tenant)):
        assert (await check_ledger(ctx.db, ctx.tenant, says)).wrong == ()
    if alone:
        await numbered(ctx)


async def numbered(ctx: Context) -> None:
    """Numbers have no gaps."""
    for kind in (await invoices(ctx), await credit_notes(ctx)):
        numbers = sorted(int(one.number.rpartition("-")[2]) for one in kind if one.number)
        assert numbers == list(range(1, len(numbers) + 1))
