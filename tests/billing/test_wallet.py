"""A wallet: what fills it, what it pays, and what goes out of it."""

import asyncio

import pytest

from tests.billing.stories import acme, balances, item, moved, ms, prove
from veloflux.billing import store
from veloflux.billing.wallet.credit import Balance, Gift, Taken, TopUp, apply, give, read_wallet, take, top_up
from veloflux.billing.wallet.expire_gift import Flow, left_of
from veloflux.context import Context
from veloflux.errors import Conflict, CurrencyUnknown, IdReused, InputInvalid, MoveImpossible
from veloflux.kit import ids


async def test_a_wallet_for_each_currency(ctx: Context) -> None:
    tenant = await acme(ctx)
    assert await read_wallet(tenant) == []
    await top_up(tenant, TopUp(amount=10_000, currency="BRL", fee=99, provider="pix"))
    await give(tenant, Gift(amount=500, currency="USD"))
    assert await read_wallet(tenant) == [Balance(currency="BRL", amount=10_000), Balance(currency="USD", amount=500)]
    assert await balances(tenant) == {"cash:pix": 9_901, "fees": 99, "credit": -10_000}
    assert await balances(tenant, "USD") == {"revenue": 500, "credit": -500}
    await prove(tenant)


async def test_an_invoice_takes_what_is_in_the_wallet_by_itself(one_ctx: Context) -> None:
    tenant = await acme(one_ctx)
    await top_up(tenant, TopUp(amount=15_000, currency="BRL"))
    first, second = await item(tenant), await item(tenant)
    assert (first.status, first.credit, second.status, second.credit) == ("paid", 10_000, "open", 5_000)
    await prove(tenant)


async def test_the_wallet_pays_an_open_invoice(ctx: Context) -> None:
    tenant = await acme(ctx)
    invoice = await item(tenant)
    await top_up(tenant, TopUp(amount=12_000, currency="BRL"))
    assert (await apply(tenant, invoice.id, 4_000)).due == 6_000
    with pytest.raises(InputInvalid):
        await apply(tenant, invoice.id, 6_001)
    assert (await apply(tenant, invoice.id)).status == "paid"
    assert await read_wallet(tenant) == [Balance(currency="BRL", amount=2_000)]
    with pytest.raises(MoveImpossible):
        await apply(tenant, invoice.id)
    await prove(tenant)


async def test_nothing_is_paid_twice_out_of_one_wallet(ctx: Context) -> None:
    tenant = await acme(ctx)
    both = [await item(tenant), await item(tenant)]
    await top_up(tenant, TopUp(amount=15_000, currency="BRL"))
    await asyncio.gather(*(apply(tenant, one.id) for one in both))
    left = [(await store.invoice(tenant, one.id)).due for one in both]
    assert (sorted(left), await read_wallet(tenant)) == ([0, 5_000], [])
    await prove(tenant)


@pytest.mark.parametrize(
    ("wanted", "left", "held"),
    [
        pytest.param(Taken(currency="BRL"), 0, {"cash:bank": 10_000, "revenue": -10_000}, id="all is voided"),
        pytest.param(
            Taken(currency="BRL", amount=3_000),
            7_000,
            {"cash:bank": 10_000, "credit": -7_000, "revenue": -3_000},
            id="a part is voided",
        ),
        pytest.param(Taken(currency="BRL", refunded_by="bank"), 0, {}, id="all goes back"),
        pytest.param(
            Taken(currency="BRL", amount=3_000, refunded_by="bank"),
            7_000,
            {"cash:bank": 7_000, "credit": -7_000},
            id="a part goes back",
        ),
    ],
)
async def test_what_goes_out_of_a_wallet(one_ctx: Context, wanted: Taken, left: int, held: dict[str, int]) -> None:
    tenant = await acme(one_ctx)
    await top_up(tenant, TopUp(amount=10_000, currency="BRL"))
    await take(tenant, wanted)
    assert sum(one.amount for one in await read_wallet(tenant)) == left
    assert await balances(tenant) == held
    with pytest.raises(Conflict):
        await take(tenant, Taken(currency="BRL", amount=left + 1))
    await prove(tenant)


@pytest.mark.parametrize(
    ("used", "gone"),
    [
        pytest.param(0, 500, id="nothing was used"),
        pytest.param(200, 300, id="a gift is used before money"),
        pytest.param(500, 0, id="all of it was used"),
        pytest.param(900, 0, id="more than it was used"),
    ],
)
async def test_what_is_left_of_a_gift_is_gone_when_it_expires(one_ctx: Context, used: int, gone: int) -> None:
    tenant = await acme(one_ctx)
    await top_up(tenant, TopUp(amount=1_000, currency="BRL"))
    await give(tenant, Gift(amount=500, currency="BRL", expires_at=ms("2026-02-01T00:00")))
    if used:
        await item(tenant, str(used / 100))
    tenant = await moved(tenant, "2026-02-02T00:00")
    assert sum(one.amount for one in await read_wallet(tenant)) == 1_500 - used - gone
    assert (await balances(tenant)).get("revenue", 0) == 500 - used - gone
    await prove(tenant)


def test_what_expires_first_is_used_first() -> None:
    expired = ids.derived("pay", "soon", "expired")
    flows = [Flow("later", 300), Flow("soon", 200), Flow("money", 1_000), Flow("inv", -150), Flow(expired, -50)]
    expiries = {"later": 20, "soon": 10}
    assert [left_of(gift, flows, expiries) for gift in ("later", "soon")] == [300, 0]
    assert left_of("later", [*flows, Flow("inv", -250)], expiries) == 50


async def test_a_top_up_that_is_noted_again_counts_once(ctx: Context) -> None:
    tenant = await acme(ctx)
    wanted = TopUp(amount=10_000, currency="BRL", id="E1")
    await asyncio.gather(*(top_up(tenant, wanted) for _ in range(4)))
    assert await read_wallet(tenant) == [Balance(currency="BRL", amount=10_000)]
    with pytest.raises(IdReused):
        await top_up(tenant, TopUp(amount=9_999, currency="BRL", id="E1"))
    await prove(tenant)


async def test_what_cannot_come_into_a_wallet(one_ctx: Context) -> None:
    tenant = await acme(one_ctx)
    with pytest.raises(CurrencyUnknown):
        await top_up(tenant, TopUp(amount=1, currency="XYZ"))
    with pytest.raises(CurrencyUnknown):
        await give(tenant, Gift(amount=1, currency="XYZ"))
    with pytest.raises(InputInvalid):
        await give(tenant, Gift(amount=1, currency="BRL", expires_at=tenant.now()))
    with pytest.raises(InputInvalid):
        await top_up(tenant, TopUp(amount=1, currency="BRL", fee=2))
    assert await read_wallet(tenant) == []
