"""Two years of a subscription are the same however often and in whichever steps they are played; numbers have no gaps,
whoever closes, and however many do at once."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import pytest

from tests.billing.shop import (
    credit_notes,
    invoices,
    ms,
    on,
    opened,
    proven,
    tenant,
    used,
)
from tests.customers import of
from veloflux import tenants
from veloflux.billing import advance, store
from veloflux.billing.payments.sandbox import SandboxPayments
from veloflux.billing.subscriptions.cancel import cancel
from veloflux.billing.subscriptions.change import ChangeSubscription, change
from veloflux.billing.subscriptions.start import Start, start
from veloflux.context import Context
from veloflux.db import documents
from veloflux.kit.clock import DAY_MS
from veloflux.ledger import every_posting, read_balances
from veloflux.tenants import RecordChange

Act = Callable[[Context], Awaitable[object]]
ID = re.compile(r"(?<![a-z])[a-z]{3}_[0-9a-z]{26}\b")
UPGRADE, DOWNGRADE = ms("2024-07-10T11:22:33"), ms("2025-03-05T05:06:07")
REFUSED, PAID_AGAIN = ms("2024-09-20"), ms("2024-10-05")  # of the invoice of 30 September
BEGIN, END = ms("2024-01-31T10:00"), ms("2026-02-01")


async def two_years(ctx: Context, days: int, name: str) -> Context:
    """24 months with usage, an upgrade, a downgrade and payments that fail twice; the clock stops each so many days,
    and between these only for who does something."""
    acme = await tenant(ctx, "2024-01-31T10:00", name=name)
    sub = await start(acme, Start(plan="metered", coupons=("tenth",)))

    def changed(plan: str) -> Act:
        return lambda acme: change(acme, sub.id, ChangeSubscription(plan=plan))

    acts = {
        UPGRADE: changed("tiered"),
        REFUSED: lambda acme: tenants.change_record(acme, RecordChange(metadata={"payments": "refuses"})),
        PAID_AGAIN: lambda acme: tenants.change_record(acme, RecordChange(metadata={"payments": "succeeds"})),
        DOWNGRADE: changed("metered"),
    }
    reports, steps = range(BEGIN + 7 * DAY_MS, END, 21 * DAY_MS), range(BEGIN, END, days * DAY_MS)
    for at in sorted({*reports, *steps, *acts, END}):
        acme = await looked(acme, at) if at in reports and at not in steps else await on(acme, at)
        if at in reports:
            await used(acme, 95, at)
            await used(acme, 1, at, "stored", gb=12.34)
        if at in acts:
            await acts[at](acme)
    return acme


async def looked(ctx: Context, at: int) -> Context:
    """The clock at a time, with nothing done."""
    return of(ctx, await tenants.set_clock(ctx, "stopped", at))


async def books(ctx: Context) -> str:
    """All documents and postings of a tenant in order, with its ids numbered as they appear."""
    found: list[object] = [
        {name: value for name, value in documents.to_fields(one).items() if name != "buyer"}  # is sealed with a nonce
        for one in (
            *await invoices(ctx),
            *sorted(await credit_notes(ctx), key=lambda note: note.number),
            *await store.subscriptions(ctx.db, ctx.tenant),
            *sorted((await store.payments(ctx.db, ctx.tenant, "", 100)).items, key=lambda one: one.created_at),
        )
    ]
    known: dict[str, str] = {}
    text = _renamed(msgspec.json.encode(found, order="sorted").decode(), known)
    postings = [one async for one in every_posting(ctx.db, ctx.tenant)]
    lines = sorted(f"{one.at} {_renamed(one.document, known)} {one.kind} {one.entries}" for one in postings)
    balances = sorted((account.field, amount) for account, amount in (await read_balances(ctx.db, ctx.tenant)).items())
    return "\n".join([text, *lines, str(balances)])


def _renamed(text: str, known: dict[str, str]) -> str:
    return ID.sub(lambda found: known.setdefault(found[0], f"{found[0][:3]}_{len(known)}"), text)


async def test_two_years_are_the_same_bytes_in_steps_of_days_weeks_or_months(one_ctx: Context) -> None:
    parts = msgspec.structs.replace(one_ctx.parts, sandbox_payments=SandboxPayments(one_ctx.db))
    ctx = await opened(msgspec.structs.replace(one_ctx, parts=parts))
    played = [await two_years(ctx, days, f"Acme {days}") for days in (3, 10, 150)]
    first, *others = [await books(acme) for acme in played]
    assert others == [first, first]
    for acme in played:
        await proven(acme)
    closed = [one for one in await invoices(played[0]) if one.reason == "period"]
    assert len(closed) == 24
    failed = [(one.period_end, one.attempts, one.status) for one in await invoices(played[0]) if one.attempts]
    assert failed == [(ms("2024-09-30T10:00"), 2, "paid")]
    assert {one.status for one in await invoices(played[0])} == {"paid"}


async def test_many_who_close_at_once_make_one_invoice_of_each_period(ctx: Context) -> None:
    acme = await tenant(await opened(ctx), "2024-01-31")
    closed = {(await start(acme, Start(plan=plan))).id: number for plan, number in {"metered": 3, "weekly": 13}.items()}
    later = await looked(acme, ms("2024-05-01T01:00"))
    await asyncio.gather(*(advance(later) for _ in range(5)))
    found = [one for one in await invoices(acme) if one.reason == "period"]
    for id_, number in closed.items():
        starts = [one.period_start for one in found if one.subscription == id_]
        assert len(starts) == len(set(starts)) == number
    await proven(acme)


@pytest.mark.parametrize("whose", ["tenant", "operator"])
async def test_numbers_have_no_gaps_over_tenants_that_close_at_once(ctx: Context, whose: str) -> None:
    ctx = await opened(ctx)
    parts = msgspec.structs.replace(ctx.parts, settings=msgspec.structs.replace(ctx.settings, invoice_numbers=whose))
    ctx = msgspec.structs.replace(ctx, parts=parts)
    every = [await tenant(ctx, "2024-01-31", name=name) for name in ("Acme", "Box")]
    for one in every:
        for number in range(3):
            sub = await start(one, Start(plan="hundred"), str(number))
        await cancel(one, sub.id, now=True)  # a credit note
        await start(one, Start(plan="metered"))
    later = [await looked(one, ms("2024-05-01")) for one in every]
    await asyncio.gather(*(advance(one) for one in later for _ in range(3)))
    if whose == "tenant":
        for one in every:
            await proven(one)
        return
    await _one_row([document for one in every for document in await invoices(one)])
    await _one_row([document for one in every for document in await credit_notes(one)])


async def _one_row(found: Sequence[object]) -> None:
    numbers = sorted(int(one.number.rpartition("-")[2]) for one in found)
    assert numbers == list(range(1, len(found) + 1))
    assert len(found) > 1
