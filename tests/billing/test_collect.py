"""What a provider of payments collects, and what happens to who does not pay."""

import asyncio

import pytest

from tests.billing.stories import acme, behaves, events, invoices, item, moved, ms, pro, prove
from veloflux import billing, tenants
from veloflux.billing import store
from veloflux.billing.arithmetic.withholding import Withholding
from veloflux.billing.invoices.credit_note import CreditWanted, credit_invoice
from veloflux.billing.invoices.void import void
from veloflux.billing.invoices.write_off import write_off
from veloflux.billing.payments.collect import charge_of, record_answer
from veloflux.billing.payments.dunning_mails import SEND_DUNNING
from veloflux.billing.payments.pay import Pay, pay
from veloflux.billing.subscriptions.cancel import pause
from veloflux.billing.wallet.credit import read_wallet
from veloflux.context import Context
from veloflux.db import keys
from veloflux.jobs.store import of_owner
from veloflux.kit.payments import Charged, Refused
from veloflux.notifications import list_messages
from veloflux.transaction import Transaction
from veloflux.worker import JOBS

TRIES = ("2026-01-10T12:00", "2026-01-13T12:00", "2026-01-18T12:00", "2026-01-25T12:00")
GIVEN_UP = "2026-01-28T12:00"


async def test_a_provider_collects_when_an_invoice_is_due(ctx: Context) -> None:
    tenant = await acme(ctx, payments="succeeds", days_to_pay=5)
    _, invoice = await pro(tenant)
    assert (invoice.status, invoice.due_at) == ("open", ms("2026-01-15T12:00"))
    tenant = await moved(tenant, "2026-01-15T11:59")
    assert (await store.invoice(tenant, invoice.id)).status == "open"
    tenant = await moved(tenant, "2026-01-16T00:00")
    after = await store.invoice(tenant, invoice.id)
    assert (after.status, after.settled_at) == ("paid", invoice.due_at)
    (payment,) = (await store.payments(tenant.db, tenant.tenant, "", 10)).items
    assert (payment.provider, payment.received, payment.fee) == ("sandbox", 14_900, 432)
    await prove(tenant)


async def test_without_a_provider_an_invoice_waits_to_be_paid_by_hand(one_ctx: Context) -> None:
    tenant = await acme(one_ctx)
    _, invoice = await pro(tenant)
    tenant = await moved(tenant, "2026-03-05T12:00")
    after = await store.invoice(tenant, invoice.id)
    assert (after.status, after.attempts) == ("open", 0)
    assert (await tenants.find(tenant, tenant.tenant)).status == "active"
    await prove(tenant)


@pytest.mark.parametrize(
    ("behaviour", "until", "charges"),
    [("slow", "2026-01-10T14:00", 1), ("loses_answer", "2026-01-10T13:00", 1), ("succeeds", "2026-01-10T12:00", 1)],
)
async def test_a_provider_that_is_slow_or_silent_is_asked_again_and_charges_once(
    ctx: Context, behaviour: str, until: str, charges: int
) -> None:
    tenant = await acme(ctx, payments=behaviour)
    _, invoice = await pro(tenant)
    tenant = await moved(tenant, until)
    after = await store.invoice(tenant, invoice.id)
    assert (after.status, after.charging, after.attempts, after.settled_at) == ("paid", "", 0, ms(until))
    assert len((await store.payments(tenant.db, tenant.tenant, "", 10)).items) == charges
    await prove(tenant)


async def test_many_workers_collect_an_invoice_once(ctx: Context) -> None:
    tenant = await acme(ctx, payments="succeeds")
    _, invoice = await pro(tenant)
    await asyncio.gather(*(billing.advance(tenant) for _ in range(5)))
    assert (await store.invoice(tenant, invoice.id)).paid == 14_900
    assert len((await store.payments(tenant.db, tenant.tenant, "", 10)).items) == 1
    await prove(tenant)


async def test_an_answer_that_comes_twice_counts_once(ctx: Context) -> None:
    tenant = await acme(ctx, payments="slow")
    invoice = await item(tenant)
    charge = charge_of(invoice)
    charged = Charged(amount=10_000, currency="BRL")
    await asyncio.gather(*(record_answer(tenant, invoice.id, "sandbox", charge, charged) for _ in range(3)))
    await record_answer(tenant, invoice.id, "sandbox", charge, charged)
    after = await store.invoice(tenant, invoice.id)
    assert (after.status, after.paid, await read_wallet(tenant)) == ("paid", 10_000, [])
    refused = await item(tenant)
    for _ in range(3):
        await record_answer(tenant, refused.id, "sandbox", charge_of(refused), Refused(reason="no"))
    assert (await store.invoice(tenant, refused.id)).attempts == 1
    await prove(tenant)


async def test_money_that_comes_when_all_is_paid_goes_to_the_wallet(one_ctx: Context) -> None:
    tenant = await acme(one_ctx, payments="slow")
    invoice = await item(tenant)
    tenant = await moved(tenant, "2026-01-10T12:30")
    assert (await store.invoice(tenant, invoice.id)).charging
    await pay(tenant, invoice.id, Pay(amount=10_000))
    tenant = await moved(tenant, "2026-01-11T12:00")
    after = await store.invoice(tenant, invoice.id)
    assert (after.status, after.paid, after.charging) == ("paid", 10_000, "")
    assert [one.amount for one in await read_wallet(tenant)] == [10_000]
    await prove(tenant)


async def test_who_does_not_pay_is_tried_again_on_the_days_of_the_schedule_and_then_suspended(ctx: Context) -> None:
    tenant = await acme(ctx, payments="refuses")
    sub, invoice = await pro(tenant)
    for attempts, at in enumerate(TRIES, 1):
        tenant = await moved(tenant, at)
        assert (await store.invoice(tenant, invoice.id)).attempts == attempts, at
    assert (await store.subscription(tenant, sub.id)).status == "active"
    tenant = await moved(tenant, GIVEN_UP)
    assert (await store.subscription(tenant, sub.id)).status == "past_due"
    found = await tenants.find(tenant, tenant.tenant)
    assert (found.status, found.suspended_for) == ("suspended", f"Unpaid invoice INV-000001 ({invoice.id})")
    assert (await store.invoice(tenant, invoice.id)).status == "open"
    await prove(tenant)


@pytest.mark.parametrize("at", [GIVEN_UP, "2026-02-05T12:00"])
async def test_however_late_a_worker_comes_each_step_is_at_its_time(one_ctx: Context, at: str) -> None:
    tenant = await acme(one_ctx, payments="refuses", when_unpaid="nothing")
    sub, invoice = await pro(tenant)
    tenant = await moved(tenant, at)
    overdue = await tenant.db.call("ZRANGE", keys.overdue(tenant.tenant), 0, -1, "WITHSCORES")
    assert overdue == [invoice.id, str(ms(GIVEN_UP))]
    assert (await tenants.find(tenant, tenant.tenant)).status == "active"
    assert (await store.subscription(tenant, sub.id)).status == "past_due"
    await prove(tenant)


async def test_a_subscription_can_end_with_who_does_not_pay(one_ctx: Context) -> None:
    tenant = await acme(one_ctx, payments="refuses", when_unpaid="cancel")
    sub, invoice = await pro(tenant)
    tenant = await moved(tenant, GIVEN_UP)
    ended = await store.subscription(tenant, sub.id)
    assert (ended.status, ended.ended_at) == ("expired", ms(GIVEN_UP))
    found = await tenants.find(tenant, tenant.tenant)
    assert (found.status, found.plan) == ("active", "free")
    tenant = await moved(tenant, "2026-04-10T12:00")
    assert await read_wallet(tenant) == [], "nothing is credited for what was not paid"
    assert (await store.invoice(tenant, invoice.id)).due == 14_900
    await prove(tenant)


@pytest.mark.parametrize("at", [*TRIES, GIVEN_UP, "2026-02-09T12:00"])
async def test_a_payment_at_any_time_resets_it_all(one_ctx: Context, at: str) -> None:
    tenant = await acme(one_ctx, payments="refuses")
    sub, invoice = await pro(tenant)
    tenant = await moved(tenant, at)
    await pay(tenant, invoice.id, Pay(amount=14_900))
    assert (await store.subscription(tenant, sub.id)).status == "active"
    found = await tenants.find(tenant, tenant.tenant)
    assert (found.status, found.suspended_for) == ("active", "")
    assert await store.overdue(tenant.db, tenant.tenant) == []
    await behaves(tenant, "succeeds")
    tenant = await moved(tenant, "2026-02-11T12:00")
    assert {one.status for one in await invoices(tenant)} == {"paid"}
    await prove(tenant)


async def test_only_the_last_overdue_invoice_that_is_paid_ends_what_was_done(ctx: Context) -> None:
    tenant = await acme(ctx, payments="refuses")
    sub, first = await pro(tenant)
    second = await item(tenant)
    tenant = await moved(tenant, GIVEN_UP)
    assert {one.id for one in await store.overdue(tenant.db, tenant.tenant)} == {first.id, second.id}
    await pay(tenant, first.id, Pay(amount=14_900))
    assert (await store.subscription(tenant, sub.id)).status == "active", "the other one is not of it"
    assert (await tenants.find(tenant, tenant.tenant)).status == "suspended"
    await pay(tenant, second.id, Pay(amount=10_000))
    assert (await tenants.find(tenant, tenant.tenant)).status == "active"
    await prove(tenant)


async def test_two_overdue_invoices_that_are_paid_at_once_end_it(ctx: Context) -> None:
    tenant = await acme(ctx, payments="refuses")
    first, second = await item(tenant), await item(tenant)
    tenant = await moved(tenant, GIVEN_UP)
    await asyncio.gather(*(pay(tenant, one.id, Pay(amount=10_000)) for one in (first, second)))
    assert (await tenants.find(tenant, tenant.tenant)).status == "active"
    await prove(tenant)


async def test_an_operators_own_suspension_is_not_ended_by_a_payment(one_ctx: Context) -> None:
    tenant = await acme(one_ctx, payments="refuses")
    _, invoice = await pro(tenant)
    await tenants.suspend_tenant(tenant, "Abuse")
    tenant = await moved(tenant, GIVEN_UP)
    await pay(tenant, invoice.id, Pay(amount=14_900))
    assert (await tenants.find(tenant, tenant.tenant)).suspended_for == "Abuse"
    await prove(tenant)


@pytest.mark.parametrize("how", ["void", "credit", "write_off", "paused"])
async def test_what_else_ends_the_chase(one_ctx: Context, how: str) -> None:
    tenant = await acme(one_ctx, payments="refuses")
    sub, invoice = await pro(tenant)
    tenant = await moved(tenant, GIVEN_UP)
    if how == "void":
        await void(tenant, invoice.id)
    elif how == "credit":
        await credit_invoice(tenant, invoice.id, CreditWanted())
    elif how == "write_off":
        await write_off(tenant, invoice.id)
    else:
        await pause(tenant, sub.id, credit_unused=False)
        await pay(tenant, invoice.id, Pay(amount=14_900))
    status = (await store.subscription(tenant, sub.id)).status
    assert status == ("paused" if how == "paused" else "active")
    assert await store.overdue(tenant.db, tenant.tenant) == []
    suspended = (await tenants.find(tenant, tenant.tenant)).status == "suspended"
    assert suspended == (how == "write_off"), "who was given up is let in by hand"
    await prove(tenant)


async def test_what_is_withheld_is_never_chased(one_ctx: Context) -> None:
    irrf = Withholding(name="IRRF", percent="1.5")
    tenant = await acme(one_ctx, payments="succeeds", withholdings=(irrf,))
    invoice = await item(tenant, "1000")
    tenant = await moved(tenant, "2026-01-11T12:00")
    after = await store.invoice(tenant, invoice.id)
    assert (after.status, after.paid, after.unproven) == ("paid", 98_500, 1_500)
    tenant = await moved(tenant, "2026-06-11T12:00")
    assert (await store.invoice(tenant, invoice.id)).attempts == 0
    assert [one.id for one in (await store.unproven(tenant.db, tenant.tenant, "", 10)).items] == [invoice.id]
    await prove(tenant)


@pytest.mark.parametrize(
    ("language", "subjects"),
    [
        ("en", ["The payment of invoice INV-000001 failed", "Invoice INV-000001 is unpaid: please pay by", "was not"]),
        ("pt-BR", ["O pagamento da fatura INV-000001 falhou", "A fatura INV-000001 está em aberto", "não foi paga"]),
    ],
)
async def test_each_step_writes_to_the_billing_address(one_ctx: Context, language: str, subjects: list[str]) -> None:
    tenant = await acme(one_ctx, payments="refuses")
    await tenant.db.call("HSET", keys.tenant(tenant.tenant), "language", language)
    await pro(tenant)
    tenant = await moved(tenant, GIVEN_UP)
    for job in (await of_owner(tenant, tenant.tenant, limit=100)).items:
        if job.kind == SEND_DUNNING:
            await JOBS[job.kind](tenant, job, Transaction(tenant, tenant.tenant))
    messages = (await list_messages(tenant)).items
    for subject, number in zip(subjects, (3, 1, 1), strict=True):
        assert len([one for one in messages if subject in one.subject]) == number, messages
    assert {one.to for one in messages} == {"finance@acme.example"}
    assert all("149" in one.text and "INV-000001" in one.text for one in messages)


async def test_the_events_tell_it_in_order(one_ctx: Context) -> None:
    tenant = await acme(one_ctx, payments="refuses")
    await pro(tenant)
    tenant = await moved(tenant, GIVEN_UP)
    told = [name for name in await events(tenant) if name.split(".")[0] in ("invoice", "subscription", "tenant")]
    told = told[told.index("invoice.finalised") :]
    assert [name for name in told if name not in ("tenant.clock_set", "tenant.plan_changed")] == [
        "invoice.finalised",
        "subscription.started",
        *["invoice.payment_failed"] * 4,
        "invoice.overdue",
        "subscription.past_due",
        "tenant.suspended",
    ]
