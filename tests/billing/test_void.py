"""An invoice that was wrong, and one that nobody will pay."""

import pytest

from tests.billing.stories import acme, balances, invoices, item, moved, pro, prove
from veloflux.billing import store
from veloflux.billing.arithmetic.withholding import Withholding
from veloflux.billing.invoices.credit_note import CreditWanted, LineCredit, credit_invoice
from veloflux.billing.invoices.deferrals import read_deferrals
from veloflux.billing.invoices.void import void
from veloflux.billing.invoices.withheld import ProofGiven
from veloflux.billing.invoices.withheld import prove as prove_withheld
from veloflux.billing.invoices.write_off import write_off
from veloflux.billing.payments.pay import Pay, pay
from veloflux.billing.subscriptions.cancel import cancel
from veloflux.billing.wallet.credit import Gift, TopUp, apply, give, read_wallet, top_up
from veloflux.context import Context
from veloflux.errors import Conflict, MoveImpossible


async def test_a_void_invoice_leaves_nothing_in_the_ledger(ctx: Context) -> None:
    tenant = await acme(ctx)
    _, invoice = await pro(tenant)
    voided = await void(tenant, invoice.id)
    assert (voided.status, voided.due, voided.number) == ("void", 0, "INV-000001")
    assert await balances(tenant) == {}
    assert await read_deferrals(tenant) == []
    await prove(tenant)


async def test_releases_and_the_wallets_part_are_reversed_too(one_ctx: Context) -> None:
    tenant = await acme(one_ctx)
    await top_up(tenant, TopUp(amount=4_000, currency="BRL"))
    _, invoice = await pro(tenant)
    await give(tenant, Gift(amount=500, currency="BRL"))
    await apply(tenant, invoice.id)
    tenant = await moved(tenant, "2026-02-05T12:00")
    assert (await balances(tenant))["deferred_revenue"] > -14_900
    assert (await store.invoice(tenant, invoice.id)).due == 10_400
    await void(tenant, invoice.id)
    assert await balances(tenant) == {"cash:bank": 4_000, "credit": -4_500, "revenue": 500}
    await prove(tenant)
    tenant = await moved(tenant, "2026-03-05T12:00")
    await prove(tenant)


async def test_what_was_paid_for_a_void_invoice_is_not_credited_when_the_subscription_ends(one_ctx: Context) -> None:
    tenant = await acme(one_ctx)
    sub, invoice = await pro(tenant)
    await void(tenant, invoice.id)
    tenant = await moved(tenant, "2026-01-20T12:00")
    await cancel(tenant, sub.id, now=True)
    tenant = await moved(tenant, "2026-01-21T12:00")
    assert await read_wallet(tenant) == []
    assert [one.id for one in await invoices(tenant)] == [invoice.id]
    await prove(tenant)


@pytest.mark.parametrize("what", ["paid", "credited", "proven"])
async def test_an_invoice_of_which_something_was_settled_cannot_be_voided(one_ctx: Context, what: str) -> None:
    tenant = await acme(one_ctx, withholdings=(Withholding(name="IRRF", percent="1.5"),))
    invoice = await item(tenant)
    if what == "paid":
        await pay(tenant, invoice.id, Pay(amount=1))
    elif what == "credited":
        await credit_invoice(tenant, invoice.id, CreditWanted(lines=(LineCredit(line=0, amount=100),)))
    else:
        await prove_withheld(tenant, invoice.id, ProofGiven(document="DARF 1", date="2026-01-10", amount=1))
    with pytest.raises(Conflict):
        await void(tenant, invoice.id)
    assert (await store.invoice(tenant, invoice.id)).status == "open"
    await prove(tenant)


async def test_an_invoice_that_is_given_up_is_a_bad_debt(ctx: Context) -> None:
    tenant = await acme(ctx)
    invoice = await item(tenant)
    await pay(tenant, invoice.id, Pay(amount=3_000))
    given_up = await write_off(tenant, invoice.id)
    assert (given_up.status, given_up.due) == ("uncollectible", 0)
    assert await balances(tenant) == {"cash:bank": 3_000, "bad_debt": 7_000, "revenue": -10_000}
    await prove(tenant)
    with pytest.raises(MoveImpossible):
        await write_off(tenant, invoice.id)


@pytest.mark.parametrize(
    ("how", "status", "held"),
    [
        ("a part is paid", "uncollectible", {"bad_debt": 6_000, "cash:bank": 4_000, "revenue": -10_000}),
        ("all is paid", "paid", {"cash:bank": 10_000, "revenue": -10_000}),
        ("the wallet pays", "paid", {"cash:bank": 10_000, "revenue": -10_000}),
        ("a part is credited", "uncollectible", {"bad_debt": 6_000, "revenue": -6_000}),
        ("all is credited", "paid", {}),
        ("it is voided", "void", {}),
    ],
)
async def test_what_becomes_of_a_bad_debt(one_ctx: Context, how: str, status: str, held: dict[str, int]) -> None:
    tenant = await acme(one_ctx)
    invoice = await item(tenant)
    await write_off(tenant, invoice.id)
    match how:
        case "a part is paid":
            await pay(tenant, invoice.id, Pay(amount=4_000))
        case "all is paid":
            await pay(tenant, invoice.id, Pay(amount=10_000))
        case "the wallet pays":
            await top_up(tenant, TopUp(amount=10_000, currency="BRL"))
            await apply(tenant, invoice.id)
        case "a part is credited":
            await credit_invoice(tenant, invoice.id, CreditWanted(lines=(LineCredit(line=0, amount=4_000),)))
        case "all is credited":
            await credit_invoice(tenant, invoice.id, CreditWanted())
        case _:
            await void(tenant, invoice.id)
    assert (await store.invoice(tenant, invoice.id)).status == status
    assert await balances(tenant) == held
    await prove(tenant)
