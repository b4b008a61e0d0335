"""What a tenant withheld, and its proofs."""

import pytest

from tests.billing.stories import acme, balances, item, prove
from veloflux.billing import store
from veloflux.billing.arithmetic.withholding import Withholding
from veloflux.billing.invoices.void import void
from veloflux.billing.invoices.withheld import ProofGiven, unproven
from veloflux.billing.invoices.withheld import prove as prove_withheld
from veloflux.billing.payments.pay import Pay, pay
from veloflux.context import Context
from veloflux.errors import InputInvalid, MoveImpossible

IRRF = Withholding(name="IRRF", percent="1.5")
DARF = ProofGiven(document="DARF 1", date="2026-01-20", amount=1_000)


async def waiting(ctx: Context) -> list[tuple[str, int]]:
    return [(one.id, one.unproven) for one in (await unproven(ctx, "", 10)).items]


async def test_what_is_withheld_waits_for_its_proofs(ctx: Context) -> None:
    tenant = await acme(ctx, withholdings=(IRRF,))
    invoice = await item(tenant, "1000")
    await pay(tenant, invoice.id, Pay(amount=98_500))
    assert (await store.invoice(tenant, invoice.id)).status == "paid"
    assert await waiting(tenant) == [(invoice.id, 1_500)]
    await prove_withheld(tenant, invoice.id, DARF)
    assert await waiting(tenant) == [(invoice.id, 500)]
    assert await balances(tenant) == {
        "cash:bank": 98_500,
        "withheld_tax": 500,
        "withheld_tax_proven": 1_000,
        "revenue": -100_000,
    }
    await prove_withheld(tenant, invoice.id, DARF)
    assert await waiting(tenant) == [(invoice.id, 500)], "the same proof again"
    after = await prove_withheld(tenant, invoice.id, ProofGiven(document="DARF 2", date="2026-01-20", amount=500))
    assert [proof.document for proof in after.proofs] == ["DARF 1", "DARF 2"]
    assert await waiting(tenant) == []
    await prove(tenant)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(ProofGiven(document="DARF 1", date="2026-01-20", amount=1_501), id="more than was withheld"),
        pytest.param(ProofGiven(document="DARF 1", date="2026-02-30", amount=1), id="a day that there is not"),
    ],
)
async def test_what_is_no_proof(one_ctx: Context, given: ProofGiven) -> None:
    tenant = await acme(one_ctx, withholdings=(IRRF,))
    invoice = await item(tenant, "1000")
    with pytest.raises(InputInvalid):
        await prove_withheld(tenant, invoice.id, given)
    assert await waiting(tenant) == [(invoice.id, 1_500)]
    await prove(tenant)


async def test_nothing_waits_of_a_void_invoice(one_ctx: Context) -> None:
    tenant = await acme(one_ctx, withholdings=(IRRF,))
    invoice = await item(tenant, "1000")
    await void(tenant, invoice.id)
    assert await waiting(tenant) == []
    with pytest.raises(MoveImpossible):
        await prove_withheld(tenant, invoice.id, DARF)
    await prove(tenant)
