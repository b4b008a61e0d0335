"""One-off items, add-ons that are charged once, and coupons of a subscription."""

from collections.abc import Sequence

import msgspec
import pytest

from tests.billing.stories import acme, balances, invoices, item, moved, ms, pro, prove
from veloflux import tenants
from veloflux.billing.arithmetic.discounts import Redemption
from veloflux.billing.payments.pay import Pay, pay
from veloflux.billing.subscriptions.cancel import cancel
from veloflux.billing.subscriptions.coupons import attach_coupon, detach_coupon
from veloflux.billing.subscriptions.items import ItemsInvoice, OneOff, add_item, invoice_items
from veloflux.context import Context
from veloflux.errors import AlreadyDone, InputInvalid, MoveImpossible, NotFound, PriceMissing
from veloflux.plans import catalogue
from veloflux.plans.prices import AddOn, Coupon

TRAINING = OneOff(name="Training", price="250")


async def sells(ctx: Context, addons: Sequence[AddOn] = (), coupons: Sequence[Coupon] = ()) -> None:
    wanted = msgspec.structs.replace(catalogue(), addons=tuple(addons), coupons=tuple(coupons))
    await tenants.apply_catalogue(ctx, wanted)


@pytest.mark.parametrize(
    ("price", "quantity", "cents"),
    [
        ("250", "1", 25_000),
        ("0.005", "1", 1),
        ("0.333333333333", "3", 100),
        ("19.99", "2.5", 4_998),  # 49.975, half up
        ("0.01", "0.5", 1),
    ],
)
async def test_what_an_item_costs(one_ctx: Context, price: str, quantity: str, cents: int) -> None:
    tenant = await acme(one_ctx)
    invoice = await item(tenant, price, quantity=quantity)
    (line,) = invoice.lines
    assert (line.kind, line.name, line.amount, line.quantity, line.price) == (
        "item",
        "Training",
        cents,
        quantity,
        price,
    )
    assert (invoice.number, invoice.reason, invoice.due) == ("INV-000001", "items", cents)
    await prove(tenant)


async def test_an_item_comes_with_the_next_invoice(ctx: Context) -> None:
    tenant = await acme(ctx)
    sub, _ = await pro(tenant)
    waiting = await add_item(tenant, sub.id, TRAINING)
    assert [line.amount for line in waiting.waiting] == [25_000]
    tenant = await moved(tenant, "2026-02-12T12:00")
    second, _ = await invoices(tenant)
    assert sorted((line.kind, line.amount) for line in second.lines) == [("fixed", 14_900), ("item", 25_000)]
    tenant = await moved(tenant, "2026-03-12T12:00")
    assert [line.kind for line in (await invoices(tenant))[0].lines] == ["fixed"]
    await prove(tenant)


async def test_an_item_for_a_service_to_come_is_earned_over_it(one_ctx: Context) -> None:
    tenant = await acme(one_ctx)
    await item(tenant, "310", start=ms("2026-03-01T00:00", "UTC"), end=ms("2026-04-01T00:00", "UTC"))
    assert (await balances(tenant))["deferred_revenue"] == -31_000
    tenant = await moved(tenant, "2026-03-15T00:00")
    assert (await balances(tenant))["deferred_revenue"] == -31_000
    tenant = await moved(tenant, "2026-04-15T00:00")
    assert (await balances(tenant)) == {"receivable": 31_000, "revenue": -31_000}
    await prove(tenant)


async def test_an_add_on_that_is_charged_once(one_ctx: Context) -> None:
    tenant = await acme(one_ctx)
    import_ = AddOn(id="import", name="Import", prices={"BRL": "99.90"}, recurring=False)
    await sells(tenant, [import_, AddOn(id="sla", name="SLA", prices={"BRL": "50"})])
    sub, _ = await pro(tenant)
    after = await add_item(tenant, sub.id, OneOff(add_on="import", quantity="2"))
    assert [(line.kind, line.name, line.amount) for line in after.waiting] == [("add_on", "Import", 19_980)]
    with pytest.raises(InputInvalid):
        await add_item(tenant, sub.id, OneOff(add_on="sla"))
    with pytest.raises(PriceMissing):
        await invoice_items(tenant, ItemsInvoice(items=(OneOff(add_on="import"),), currency="USD"))


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(OneOff(), id="nothing"),
        pytest.param(OneOff(name="Training"), id="no price"),
        pytest.param(OneOff(name="Training", price="0"), id="for nothing"),
        pytest.param(OneOff(name="Training", price="0.004"), id="for less than a cent"),
        pytest.param(OneOff(add_on="none"), id="an add-on that there is not"),
        pytest.param(OneOff(name="Training", price="1", add_on="import"), id="both"),
        pytest.param(OneOff(name="Training", price="1", start=ms("2026-03-01")), id="a service without an end"),
        pytest.param(
            OneOff(name="Training", price="1", start=ms("2026-03-01"), end=ms("2026-02-01")),
            id="an end before the start",
        ),
    ],
)
async def test_what_is_no_item(one_ctx: Context, wanted: OneOff) -> None:
    tenant = await acme(one_ctx)
    with pytest.raises(InputInvalid):
        await invoice_items(tenant, ItemsInvoice(items=(wanted,)))
    assert await invoices(tenant) == []


async def test_the_same_key_gives_the_same_invoice(ctx: Context) -> None:
    tenant = await acme(ctx)
    wanted = ItemsInvoice(items=(TRAINING, OneOff(name="Travel", price="80")))
    first = await invoice_items(tenant, wanted, "order-1")
    assert (await invoice_items(tenant, wanted, "order-1")).id == first.id
    assert (first.due, len(await invoices(tenant))) == (33_000, 1)
    await pay(tenant, first.id, Pay(amount=33_000))
    await prove(tenant)


async def test_a_coupon_reduces_the_next_invoices_until_it_is_used_up_or_detached(one_ctx: Context) -> None:
    tenant = await acme(one_ctx)
    once = Coupon(id="once", name="Once", percent="10", duration="once")
    always = Coupon(id="always", name="Always", amounts={"BRL": "5"}, duration="forever")
    await sells(tenant, coupons=[once, always])
    sub, _ = await pro(tenant)
    await attach_coupon(tenant, sub.id, "always")
    after = await attach_coupon(tenant, sub.id, "once")
    assert after.coupons == (Redemption("always", None), Redemption("once", 1))
    with pytest.raises(AlreadyDone):
        await attach_coupon(tenant, sub.id, "once")
    tenant = await moved(tenant, "2026-02-12T12:00")
    tenant = await moved(tenant, "2026-03-12T12:00")
    await detach_coupon(tenant, sub.id, "always")
    tenant = await moved(tenant, "2026-04-12T12:00")
    assert [one.due for one in await invoices(tenant)] == [14_900, 14_400, 14_900 - 1_490 - 500, 14_900]
    with pytest.raises(NotFound):
        await detach_coupon(tenant, sub.id, "always")
    await prove(tenant)


async def test_coupons_and_items_are_of_subscriptions_that_live(one_ctx: Context) -> None:
    tenant = await acme(one_ctx)
    sub, _ = await pro(tenant)
    with pytest.raises(InputInvalid):
        await attach_coupon(tenant, sub.id, "none")
    await cancel(tenant, sub.id, now=True)
    with pytest.raises(MoveImpossible):
        await attach_coupon(tenant, sub.id, "none")
    with pytest.raises(MoveImpossible):
        await add_item(tenant, sub.id, TRAINING)
