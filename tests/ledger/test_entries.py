"""What each document posts: a table of numeric cases, worked by hand, in minor units; debits positive."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veloflux.ledger.entries import (
    Parts,
    Received,
    credit_applied,
    credit_note_issued,
    invoice_issued,
    invoice_paid,
    refunded,
    revenue_released,
    topped_up,
    voided,
    wallet_ended,
    withheld_proven,
    written_off,
)
from veloflux.ledger.posting import Entry, Posting, balances_of, decoded, encoded, posting, unbalanced

AT = 1_700_000_000_000
STRIPE = Received("stripe", "BRL", 10_000)
SERVICE = Parts(revenue=1_575, deferred=2_999)
INVOICE = Parts(revenue=1_575, deferred=2_999, taxes={"iss": 229, "pis": 75})
CASES: Mapping[str, tuple[Posting, dict[str, int]]] = {
    # 29.99 in advance and 15.75 of usage: the worked example, 45.74
    "an invoice of a fixed price and usage": (
        invoice_issued("inv_1", AT, "USD", SERVICE),
        {"receivable USD": 4_574, "revenue USD": -1_575, "deferred_revenue USD": -2_999},
    ),
    "an invoice with two taxes on top": (
        invoice_issued("inv_1", AT, "BRL", INVOICE),
        {
            "receivable BRL": 4_878,
            "revenue BRL": -1_575,
            "deferred_revenue BRL": -2_999,
            "tax:iss BRL": -229,
            "tax:pis BRL": -75,
        },
    ),
    # gross 1000.00; IRRF 1.5 % and PIS/COFINS/CSLL 4.65 % are withheld: 15.00 + 46.50; net 938.50
    "an invoice of which 6.15 % are withheld": (
        invoice_issued("inv_1", AT, "BRL", Parts(deferred=100_000), withheld=6_150),
        {"receivable BRL": 93_850, "withheld_tax BRL": 6_150, "deferred_revenue BRL": -100_000},
    ),
    "an invoice that the wallet pays in part": (
        invoice_issued("inv_1", AT, "USD", SERVICE, credit=1_000),
        {"receivable USD": 3_574, "credit USD": 1_000, "revenue USD": -1_575, "deferred_revenue USD": -2_999},
    ),
    "an invoice that the wallet pays whole": (
        invoice_issued("inv_1", AT, "USD", Parts(revenue=500), credit=500),
        {"credit USD": 500, "revenue USD": -500},
    ),
    # 100.00 to 300.00 on 25 February: credit 7586 for what was deferred before, debit 22759
    "an invoice of an upgrade": (
        invoice_issued("inv_1", AT, "USD", Parts(deferred=22_759 - 7_586)),
        {"receivable USD": 15_173, "deferred_revenue USD": -15_173},
    ),
    # usage 20.00, and 15.00 of what was billed in advance come back
    "an invoice of usage with a credit for the rest of a price": (
        invoice_issued("inv_1", AT, "USD", Parts(revenue=2_000, deferred=-1_500)),
        {"receivable USD": 500, "revenue USD": -2_000, "deferred_revenue USD": 1_500},
    ),
    "an invoice of nothing": (invoice_issued("inv_1", AT, "USD", Parts()), {}),
    "a payment": (
        invoice_paid("pay_1", AT, "BRL", 10_000, STRIPE),
        {"cash:stripe BRL": 10_000, "receivable BRL": -10_000},
    ),
    # 3.99 % and 0.39: 3.99 + 0.39
    "a payment of which the provider keeps a fee": (
        invoice_paid("pay_1", AT, "BRL", 10_000, STRIPE._replace(fee=438)),
        {"cash:stripe BRL": 9_562, "fees BRL": 438, "receivable BRL": -10_000},
    ),
    "a payment of more than is due": (
        invoice_paid("pay_1", AT, "BRL", 9_900, STRIPE, credit=100),
        {"cash:stripe BRL": 10_000, "receivable BRL": -9_900, "credit BRL": -100},
    ),
    # an invoice of USD 20.00, paid with BRL 100.00 at 5.00, of which 4.00 are the provider's
    "a payment in another currency": (
        invoice_paid("pay_1", AT, "USD", 2_000, STRIPE._replace(fee=400)),
        {
            "receivable USD": -2_000,
            "exchange_difference USD": 2_000,
            "cash:stripe BRL": 9_600,
            "fees BRL": 400,
            "exchange_difference BRL": -10_000,
        },
    ),
    "a top-up of the wallet": (
        topped_up("pay_1", AT, "BRL", 10_000, STRIPE._replace(provider="pix", fee=99)),
        {"cash:pix BRL": 9_901, "fees BRL": 99, "credit BRL": -10_000},
    ),
    "a top-up in another currency": (
        topped_up("pay_1", AT, "EUR", 1_600, STRIPE),
        {
            "credit EUR": -1_600,
            "exchange_difference EUR": 1_600,
            "cash:stripe BRL": 10_000,
            "exchange_difference BRL": -10_000,
        },
    ),
    "the wallet pays an open invoice": (
        credit_applied("crd_1", AT, "BRL", 700),
        {"credit BRL": 700, "receivable BRL": -700},
    ),
    "the wallet expires": (
        wallet_ended("crd_1", AT, "BRL", 300, "wallet_expired"),
        {"credit BRL": 300, "revenue BRL": -300},
    ),
    "the wallet is voided": (
        wallet_ended("crd_1", AT, "BRL", 300, "wallet_voided"),
        {"credit BRL": 300, "revenue BRL": -300},
    ),
    "a refund of what a credit note put into the wallet": (
        refunded("ref_1", AT, "BRL", 800, "stripe", credit=800),
        {"credit BRL": 800, "cash:stripe BRL": -800},
    ),
    "a refund without a credit note, with a fee": (
        refunded("ref_1", AT, "BRL", 1_000, "stripe", fee=5),
        {"refunds BRL": 1_000, "fees BRL": 5, "cash:stripe BRL": -1_005},
    ),
    # a third of 4,878: of 1,575 525, of 2,999 999.67, of 229 76.33, of 75 25; the cent goes to what was cut most
    "a credit note of a third of an invoice, to the wallet": (
        credit_note_issued("crn_1", AT, "BRL", INVOICE.share(1_626)),
        {
            "revenue BRL": 525,
            "deferred_revenue BRL": 1_000,
            "tax:iss BRL": 76,
            "tax:pis BRL": 25,
            "credit BRL": -1_626,
        },
    ),
    "a credit note against an open invoice": (
        credit_note_issued("crn_1", AT, "BRL", Parts(deferred=1_000, taxes={"iss": 50}), receivable=1_050),
        {"deferred_revenue BRL": 1_000, "tax:iss BRL": 50, "receivable BRL": -1_050},
    ),
    "a credit note of an invoice that was paid in part and withheld": (
        credit_note_issued("crn_1", AT, "BRL", Parts(revenue=1_000), receivable=600, withheld=62),
        {"revenue BRL": 1_000, "receivable BRL": -600, "withheld_tax BRL": -62, "credit BRL": -338},
    ),
    # of 30.00 for thirty days ten are earned: half of what is left is credited
    "a credit note after a release": (
        credit_note_issued("crn_1", AT, "BRL", Parts(deferred=3_000).released(1_000).share(1_500)),
        {"revenue BRL": 500, "deferred_revenue BRL": 1_000, "credit BRL": -1_500},
    ),
    "a void": (
        voided(invoice_issued("inv_1", AT, "BRL", INVOICE), AT),
        {
            "receivable BRL": -4_878,
            "revenue BRL": 1_575,
            "deferred_revenue BRL": 2_999,
            "tax:iss BRL": 229,
            "tax:pis BRL": 75,
        },
    ),
    "a write-off": (written_off("inv_1", AT, "BRL", 4_878), {"bad_debt BRL": 4_878, "receivable BRL": -4_878}),
    "withheld tax that is proven": (
        withheld_proven("inv_1", AT, "BRL", 6_150),
        {"withheld_tax_proven BRL": 6_150, "withheld_tax BRL": -6_150},
    ),
    "a release": (
        revenue_released("inv_1", AT, "BRL", 1_000, "0"),
        {"deferred_revenue BRL": 1_000, "revenue BRL": -1_000},
    ),
}
AMOUNT = st.integers(0, 10**12)
PARTS = st.builds(
    Parts, revenue=AMOUNT, deferred=AMOUNT, taxes=st.dictionaries(st.sampled_from(["iss", "vat"]), AMOUNT)
)


@pytest.mark.parametrize("name", CASES)
def test_a_document_posts(name: str) -> None:
    found, expected = CASES[name]
    assert {f"{entry.account} {entry.currency}": entry.amount for entry in found.entries} == expected
    assert unbalanced(found.entries) == {}
    assert (found.at, found.document[3], found.id[:4]) == (AT, "_", "pst_")


def test_a_life_of_an_invoice_leaves_what_was_earned_and_what_is_owed() -> None:
    issued = invoice_issued("inv_1", AT, "BRL", Parts(deferred=3_000, taxes={"iss": 150}), withheld=100)
    life = [
        issued,
        invoice_paid("pay_1", AT, "BRL", 3_050, Received("stripe", "BRL", 3_050, fee=50)),
        revenue_released("inv_1", AT, "BRL", 3_000, "0"),
        withheld_proven("inv_1", AT, "BRL", 100),
    ]
    assert balances_of(life) == {
        ("cash:stripe", "BRL"): 3_000,
        ("fees", "BRL"): 50,
        ("withheld_tax_proven", "BRL"): 100,
        ("tax:iss", "BRL"): -150,
        ("revenue", "BRL"): -3_000,
    }
    assert balances_of([issued, voided(issued, AT)]) == {}


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([Entry("receivable", "BRL", 5), Entry("revenue", "BRL", -4)], "do not sum to zero"),
        ([Entry("receivable", "BRL", 5), Entry("revenue", "USD", -5)], "do not sum to zero"),
        ([Entry("income", "BRL", 5), Entry("revenue", "BRL", -5)], "is no account"),
        ([Entry("cash:", "BRL", 5), Entry("revenue", "BRL", -5)], "is no account"),
        ([Entry("tax:ISS", "BRL", 5), Entry("revenue", "BRL", -5)], "is no account"),
        ([Entry("receivable", "R$", 5), Entry("revenue", "R$", -5)], "is no account"),
        ([Entry("receivable", "BRL", 0)], "has no amount"),
    ],
)
def test_what_is_not_balanced_or_no_account_is_no_posting(entries: list[Entry], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Posting(id="pst_1", at=AT, document="inv_1", kind="invoice", entries=tuple(entries))


def test_what_does_not_fit_its_document_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        invoice_issued("inv_1", AT, "BRL", Parts(revenue=100), withheld=60, credit=50)
    with pytest.raises(ValueError, match="sum to zero"):
        invoice_paid("pay_1", AT, "BRL", 9_999, STRIPE)
    with pytest.raises(ValueError, match="negative"):
        invoice_paid("pay_1", AT, "BRL", 10_000, STRIPE._replace(fee=10_001))
    with pytest.raises(ValueError, match="negative"):
        refunded("ref_1", AT, "BRL", 100, "stripe", credit=101)
    with pytest.raises(ValueError, match="negative"):
        credit_note_issued("crn_1", AT, "BRL", Parts(revenue=100), receivable=101)
    with pytest.raises(ValueError, match="negative"):
        written_off("inv_1", AT, "BRL", -1)
    with pytest.raises(ValueError, match="no part"):
        INVOICE.share(4_879)


def test_the_id_of_a_posting_follows_from_its_cause() -> None:
    release = revenue_released("inv_1", AT, "BRL", 5, "9")
    assert release.id == revenue_released("inv_1", AT, "BRL", 7, "9").id
    others = [
        revenue_released("inv_1", AT, "BRL", 5, "14"),
        revenue_released("inv_1", AT + 1, "BRL", 5, "9"),
        revenue_released("inv_2", AT, "BRL", 5, "9"),
        written_off("inv_1", AT, "BRL", 5),
        voided(release, AT),
        voided(written_off("inv_1", AT, "BRL", 5), AT),
        withheld_proven("inv_1", AT, "BRL", 5),
        withheld_proven("inv_1", AT, "BRL", 5, "second proof"),
    ]
    assert len({each.id for each in (release, *others)}) == 1 + len(others)


@given(parts=PARTS, part=st.integers(0, 1_000))
def test_a_share_is_the_amount_and_each_part_is_less_than_a_unit_from_its_proportion(parts: Parts, part: int) -> None:
    amount = parts.total * part // 1_000
    cut = parts.share(amount)
    assert cut.total == amount
    for whole, some in zip(parts.amounts().values(), cut.amounts().values(), strict=True):
        assert abs(some * (parts.total or 1) - whole * amount) < (parts.total or 1)


@given(parts=PARTS, withheld=st.integers(0, 1_000), at=st.integers(0, 2**52))
def test_a_posting_is_read_as_it_was_written(parts: Parts, withheld: int, at: int) -> None:
    issued = invoice_issued("inv_1", at, "BRL", Parts(revenue=parts.total + withheld), withheld=withheld)
    again = decoded(issued.id, encoded(issued))
    assert (again.id, again.at, again.document, again.kind, again.entries) == (
        issued.id,
        issued.at,
        "inv_1",
        "invoice",
        issued.entries,
    )


def test_entries_of_one_account_may_come_twice() -> None:
    twice = posting("void", "inv_1", AT, "BRL", {"receivable": 5, "revenue": -6}, Entry("receivable", "BRL", 1))
    assert balances_of([twice]) == {("receivable", "BRL"): 6, ("revenue", "BRL"): -6}
