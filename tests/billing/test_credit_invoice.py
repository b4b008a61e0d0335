"""Credit notes on invoices: what they settle, and where the rest goes."""

import pytest

from tests.billing.stories import acme, balances, item, moved, pro, prove
from veloflux.billing import store
from veloflux.billing.arithmetic.withholding import Withholding
from veloflux.billing.invoices.credit_note import CreditWanted, LineCredit, credit_invoice
from veloflux.billing.invoices.withheld import ProofGiven
from veloflux.billing.invoices.withheld import prove as prove_withheld
from veloflux.billing.payments.pay import Pay, pay
from veloflux.billing.subscriptions.cancel import cancel
from veloflux.billing.wallet.credit import read_wallet
from veloflux.context import Context
from veloflux.errors import AlreadyDone, InputInvalid, MoveImpossible

IRRF = Withholding(name="IRRF", percent="1.5")


def of_first(amount: int) -> CreditWanted:
    return CreditWanted(lines=(LineCredit(line=0, amount=amount),))


@pytest.mark.parametrize(
    ("paid", "credited", "note_says", "invoice_says"),
    [
        pytest.param(0, 4_000, (4_000, 0), ("open", 6_000), id="of an open invoice"),
        pytest.param(0, 10_000, (10_000, 0), ("paid", 0), id="all of an open invoice"),
        pytest.param(7_000, 4_000, (3_000, 1_000), ("paid", 0), id="more than is still to be paid"),
        pytest.param(10_000, 4_000, (0, 4_000), ("paid", 0), id="of a paid invoice"),
    ],
)
async def test_a_credit_note_settles_first_what_is_due(
    one_ctx: Context, paid: int, credited: int, note_says: tuple[int, int], invoice_says: tuple[str, int]
) -> None:
    tenant = await acme(one_ctx)
    invoice = await item(tenant)
    if paid:
        await pay(tenant, invoice.id, Pay(amount=paid))
    note = await credit_invoice(tenant, invoice.id, of_first(credited))
    assert (note.number, (note.settles, note.to_wallet)) == ("CN-000001", note_says)
    after = await store.invoice(tenant, invoice.id)
    assert (after.status, after.due) == invoice_says
    assert sum(one.amount for one in await read_wallet(tenant)) == note.to_wallet
    await prove(tenant)


async def test_what_was_paid_is_refunded(ctx: Context) -> None:
    tenant = await acme(ctx)
    invoice = await item(tenant)
    await pay(tenant, invoice.id, Pay(amount=10_000))
    await credit_invoice(tenant, invoice.id, CreditWanted(refunded_by="bank", reference="R1"))
    refund = (await store.payments(tenant.db, tenant.tenant, "", 1)).items[0]
    assert (refund.kind, refund.amount, refund.paid_out, refund.reference) == ("refund", 10_000, 10_000, "R1")
    assert await balances(tenant) == {}
    await prove(tenant)


async def test_credit_notes_over_everything_leave_nothing(ctx: Context) -> None:
    tenant = await acme(ctx, withholdings=(IRRF,))
    _, invoice = await pro(tenant)
    tenant = await moved(tenant, "2026-02-05T12:00")
    await pay(tenant, invoice.id, Pay(amount=5_000))
    for amount in (1, 4_999, 3_333):
        await credit_invoice(tenant, invoice.id, of_first(amount))
        await prove(tenant)
    await credit_invoice(tenant, invoice.id, CreditWanted())
    held = await balances(tenant)
    assert held == {"cash:bank": 5_000, "credit": -5_000}
    after = await store.invoice(tenant, invoice.id)
    assert (after.status, after.unproven, len(after.credit_notes)) == ("paid", 0, 4)
    assert (await store.unproven(tenant.db, tenant.tenant, "", 10)).items == []
    with pytest.raises(AlreadyDone):
        await credit_invoice(tenant, invoice.id, CreditWanted())
    tenant = await moved(tenant, "2026-03-05T12:00")
    await prove(tenant)


@pytest.mark.parametrize(
    ("at", "credited", "deferred"),
    [
        # of 149.00 for 31 days, 21 days and 9 hours are earned on 1 February (UTC): 102.74, so 46.26 are to come
        pytest.param("2026-01-10T12:00", 14_900, 0, id="all, before anything is earned"),
        pytest.param("2026-01-10T12:00", 7_450, -7_450, id="half"),
        pytest.param("2026-02-05T12:00", 14_900, 0, id="all, after most is earned"),
        pytest.param("2026-02-05T12:00", 7_450, -2_313, id="half of what is still to come"),
    ],
)
async def test_what_is_credited_is_taken_from_what_is_to_come_in_proportion(
    one_ctx: Context, at: str, credited: int, deferred: int
) -> None:
    tenant = await acme(one_ctx)
    _, invoice = await pro(tenant)
    tenant = await moved(tenant, at)
    await credit_invoice(tenant, invoice.id, of_first(credited))
    assert (await balances(tenant)).get("deferred_revenue", 0) == deferred
    await prove(tenant)
    tenant = await moved(tenant, "2026-02-10T11:00")
    await prove(tenant)


@pytest.mark.parametrize(
    ("credited", "to_wallet"),
    [
        # cancelled after 10 of 31 days: 149.00 * 21/31 = 100.94 is the rest
        pytest.param(0, 10_094, id="nothing was credited"),
        pytest.param(4_900, 14_900, id="less than is left: the rest is credited then, as far as it was paid"),
        pytest.param(14_900, 14_900, id="all was credited before"),
    ],
)
async def test_what_was_credited_is_not_credited_again_when_the_subscription_ends(
    one_ctx: Context, credited: int, to_wallet: int
) -> None:
    tenant = await acme(one_ctx)
    sub, invoice = await pro(tenant)
    await pay(tenant, invoice.id, Pay(amount=14_900))
    if credited:
        await credit_invoice(tenant, invoice.id, of_first(credited))
    tenant = await moved(tenant, "2026-01-20T12:00")
    await cancel(tenant, sub.id, now=True)
    tenant = await moved(tenant, "2026-01-21T12:00")
    assert sum(one.amount for one in await read_wallet(tenant)) == to_wallet
    await prove(tenant)


async def test_what_is_withheld_is_not_withheld_of_what_is_credited(one_ctx: Context) -> None:
    tenant = await acme(one_ctx, withholdings=(IRRF,))
    invoice = await item(tenant, "1000")
    note = await credit_invoice(tenant, invoice.id, of_first(40_000))
    assert (note.settles, note.withheld, note.to_wallet) == (39_400, 600, 0)
    after = await store.invoice(tenant, invoice.id)
    assert (after.due, after.unproven) == (59_100, 900)
    await prove(tenant)


async def test_what_was_proven_is_given_back(one_ctx: Context) -> None:
    tenant = await acme(one_ctx, withholdings=(IRRF,))
    invoice = await item(tenant, "1000")
    await pay(tenant, invoice.id, Pay(amount=98_500))
    await prove_withheld(tenant, invoice.id, ProofGiven(document="DARF 1", date="2026-01-10", amount=1_500))
    note = await credit_invoice(tenant, invoice.id, CreditWanted())
    assert (note.withheld, note.to_wallet) == (0, 100_000)
    assert await balances(tenant) == {"cash:bank": 98_500, "withheld_tax_proven": 1_500, "credit": -100_000}
    await prove(tenant)


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(of_first(10_001), id="more than the line"),
        pytest.param(of_first(-1), id="less than nothing"),
        pytest.param(CreditWanted(lines=(LineCredit(line=1, amount=1),)), id="no such line"),
    ],
)
async def test_what_cannot_be_credited(one_ctx: Context, wanted: CreditWanted) -> None:
    tenant = await acme(one_ctx)
    invoice = await item(tenant)
    with pytest.raises(InputInvalid):
        await credit_invoice(tenant, invoice.id, wanted)
    assert await store.invoice(tenant, invoice.id) == invoice
    await prove(tenant)


async def test_a_draft_cannot_be_credited(one_ctx: Context) -> None:
    tenant = await acme(one_ctx)
    await pro(tenant)
    tenant = await moved(tenant, "2026-02-10T12:30")
    draft = (await store.invoices(tenant.db, tenant.tenant, "", 1)).items[0]
    with pytest.raises(MoveImpossible):
        await credit_invoice(tenant, draft.id, CreditWanted())
