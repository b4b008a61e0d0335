"""Payments that somebody notes by hand."""

import asyncio

import pytest

from tests.billing.stories import acme, balances, invoices, item, moved, pro, prove
from veloflux.billing import store
from veloflux.billing.payments.pay import Pay, pay
from veloflux.billing.wallet.credit import read_wallet
from veloflux.context import Context
from veloflux.errors import IdReused, InputInvalid, MoveImpossible, NotFound


async def test_a_payment_of_all_settles_an_invoice(ctx: Context) -> None:
    tenant = await acme(ctx)
    _, invoice = await pro(tenant)
    payment = await pay(tenant, invoice.id, Pay(amount=14_900, fee=150, reference="E123"))
    after = await store.invoice(tenant, invoice.id)
    assert (after.status, after.paid, after.due, after.settled_at) == ("paid", 14_900, 0, tenant.now())
    assert (payment.settled, payment.to_wallet, payment.provider, payment.reference) == (14_900, 0, "bank", "E123")
    assert await balances(tenant) == {"cash:bank": 14_750, "fees": 150, "deferred_revenue": -14_900}
    await prove(tenant)


@pytest.mark.parametrize(
    ("amounts", "status", "due", "wallet"),
    [
        pytest.param([4_900], "open", 10_000, 0, id="a part"),
        pytest.param([4_900, 10_000], "paid", 0, 0, id="two parts are all of it"),
        pytest.param([4_900, 10_001], "paid", 0, 1, id="a cent too much"),
        pytest.param([30_000], "paid", 0, 15_100, id="twice too much"),
    ],
)
async def test_what_payments_settle(one_ctx: Context, amounts: list[int], status: str, due: int, wallet: int) -> None:
    tenant = await acme(one_ctx)
    _, invoice = await pro(tenant)
    for amount in amounts:
        await pay(tenant, invoice.id, Pay(amount=amount))
    after = await store.invoice(tenant, invoice.id)
    assert (after.status, after.due, sum(one.amount for one in await read_wallet(tenant))) == (status, due, wallet)
    await prove(tenant)


async def test_the_next_invoice_takes_what_was_paid_too_much(one_ctx: Context) -> None:
    tenant = await acme(one_ctx)
    _, invoice = await pro(tenant)
    await pay(tenant, invoice.id, Pay(amount=20_000))
    tenant = await moved(tenant, "2026-02-12T12:00")
    second, _ = await invoices(tenant)
    assert (second.credit, second.due) == (5_100, 9_800)
    await prove(tenant)


async def test_the_same_payment_counts_once_however_often_it_is_noted(ctx: Context) -> None:
    tenant = await acme(ctx)
    invoice = await item(tenant)
    wanted = Pay(amount=4_000, id="E123")
    noted = await asyncio.gather(*(pay(tenant, invoice.id, wanted) for _ in range(5)))
    assert {one.id for one in noted} == {noted[0].id}
    assert (await store.invoice(tenant, invoice.id)).due == 6_000
    assert len((await store.payments(tenant.db, tenant.tenant, "", 10)).items) == 1
    with pytest.raises(IdReused):
        await pay(tenant, invoice.id, Pay(amount=4_001, id="E123"))
    await prove(tenant)


async def test_payments_at_once_all_count(ctx: Context) -> None:
    tenant = await acme(ctx)
    invoice = await item(tenant)
    await asyncio.gather(*(pay(tenant, invoice.id, Pay(amount=4_000)) for _ in range(3)))
    assert (await store.invoice(tenant, invoice.id)).status == "paid"
    assert [one.amount for one in await read_wallet(tenant)] == [2_000]
    await prove(tenant)


async def test_a_payment_in_another_currency_leaves_both_sides_in_exchange_difference(one_ctx: Context) -> None:
    tenant = await acme(one_ctx)
    invoice = await item(tenant)
    with pytest.raises(InputInvalid) as refused:
        await pay(tenant, invoice.id, Pay(amount=2_000, currency="USD"))
    assert refused.value.extra["field"] == "settles"
    await pay(tenant, invoice.id, Pay(amount=2_000, currency="USD", settles=10_000, fee=20))
    assert (await store.invoice(tenant, invoice.id)).status == "paid"
    assert await balances(tenant) == {"exchange_difference": 10_000, "revenue": -10_000}
    assert await balances(tenant, "USD") == {"cash:bank": 1_980, "fees": 20, "exchange_difference": -2_000}
    await prove(tenant)


async def test_what_cannot_be_paid(one_ctx: Context) -> None:
    tenant = await acme(one_ctx)
    invoice = await item(tenant)
    with pytest.raises(InputInvalid):
        await pay(tenant, invoice.id, Pay(amount=100, fee=101))
    with pytest.raises(NotFound):
        await pay(tenant, "inv_0", Pay(amount=100))
    await pay(tenant, invoice.id, Pay(amount=10_000))
    with pytest.raises(MoveImpossible):
        await pay(tenant, invoice.id, Pay(amount=1))
    await prove(tenant)
