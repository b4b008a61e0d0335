"""The texts of invoices and credit notes, in both languages."""

from typing import get_args

import pytest
from msgspec.structs import replace

from tests.billing.documents import BASE, FEBRUARY, JANUARY, REQUESTS, SIDES, credit_note, invoice, taxed
from veloflux.billing.arithmetic.lines import Kind, Line
from veloflux.billing.printing.parties import Heading, buyer_of, seller_of
from veloflux.billing.printing.rendered import Rendered, Row, rendered_credit_note, rendered_invoice
from veloflux.identity import Language
from veloflux.kit.clock import DAY_MS
from veloflux.kit.fiscal import Party
from veloflux.settings import Settings


def sums(of: Rendered) -> list[tuple[str, str]]:
    """Labels and amounts, with plain spaces."""
    return [(one.label.replace("\xa0", " "), one.amount.replace("\xa0", " ")) for one in of.sums]


def test_an_invoice_in_portuguese_says_all_that_it_comes_to() -> None:
    assert sums(rendered_invoice(taxed("pt-BR"), SIDES)) == [
        ("Subtotal", "R$ 34,99"),
        ("Desconto: Primavera", "-R$ 3,50"),
        ("ISS 5% sobre R$ 31,29", "R$ 1,56"),
        ("Total bruto", "R$ 33,05"),
        ("PIS 0,65% incluído", "R$ 0,20"),
        ("IRRF 1,5% retido sobre R$ 31,49", "-R$ 0,47"),
        ("Total líquido", "R$ 32,58"),
        ("Pago com o seu saldo", "-R$ 10,00"),
        ("A pagar", "R$ 22,58"),
    ]


def test_an_invoice_in_english_says_the_same() -> None:
    found = sums(rendered_invoice(taxed("en"), SIDES))
    assert [label for label, _ in found] == [
        "Subtotal",
        "Discount: Primavera",
        "ISS 5% on R$31.29",
        "Gross total",
        "PIS 0.65% included",
        "IRRF 1.5% withheld on R$31.49",
        "Net total",
        "Paid from your balance",
        "Due",
    ]
    assert found[-1] == ("Due", "R$22.58")


def test_a_line_says_what_it_is_how_much_at_what_price_and_of_which_days() -> None:
    in_portuguese = rendered_invoice(invoice(BASE, REQUESTS), SIDES).rows
    assert in_portuguese == (
        Row("Pro", "1 jan. 2026 \N{EN DASH} 31 jan. 2026", "1", "R$\xa029,99", "R$\xa029,99"),
        Row("Requisições", "faixa 2 · 1 jan. 2026 \N{EN DASH} 31 jan. 2026", "5.000", "R$\xa00,001", "R$\xa05,00"),
    )
    percent = replace(REQUESTS, kind="percent", price="2.9", quantity="10700.5", tier=0)
    [row] = rendered_invoice(invoice(percent, language="en"), SIDES).rows
    assert row == Row(
        "Requisições", "share of the amount · 1 Jan 2026 \N{EN DASH} 31 Jan 2026", "10,700.5", "2.9%", "R$5.00"
    )


@pytest.mark.parametrize("language", ["pt-BR", "en"])
@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_kind_of_line_has_words(kind: Kind, language: Language) -> None:
    named, nameless = rendered_invoice(
        invoice(Line(kind, "Nome", 100), Line(kind, "", 100), language=language), SIDES
    ).rows
    assert named.name == "Nome"
    assert nameless.name or kind in {"fixed", "usage", "add_on", "item"}


def test_the_days_are_those_of_the_invoices_zone() -> None:
    in_tokyo = rendered_invoice(invoice(BASE, language="en", zone="Asia/Tokyo", issued_at=JANUARY - 1), SIDES)
    assert dict(in_tokyo.facts)["Issued on"] == "1 Jan 2026"
    in_sao_paulo = rendered_invoice(invoice(BASE, language="en", issued_at=JANUARY - 1), SIDES)
    assert dict(in_sao_paulo.facts)["Issued on"] == "31 Dec 2025"
    one_day = replace(BASE, end=JANUARY + DAY_MS)
    assert rendered_invoice(invoice(one_day, language="en"), SIDES).rows[0].about == "1 Jan 2026"


@pytest.mark.parametrize(
    ("status", "stamp", "says", "due"),
    [
        ("open", "", "To be paid", "R$29.99"),
        ("uncollectible", "", "To be paid", "R$29.99"),
        ("paid", "paid", "Paid", "R$0.00"),
        ("void", "void", "Voided", "R$0.00"),
    ],
)
def test_an_invoice_says_what_became_of_it(status: str, stamp: str, says: str, due: str) -> None:
    found = rendered_invoice(invoice(BASE, language="en", status=status, settled_at=FEBRUARY), SIDES)
    assert (found.stamp, found.status, sums(found)[-1]) == (stamp, says, ("Due", due))
    assert ("Paid on" in dict(found.facts)) == (status == "paid")


def test_what_is_paid_and_credited_is_taken_off_what_is_due() -> None:
    found = rendered_invoice(invoice(BASE, language="en", paid=1000, credited=500), SIDES)
    assert sums(found)[1:] == [("Credited", "-R$5.00"), ("Payments", "-R$10.00"), ("Due", "R$14.99")]


def test_a_discount_has_the_name_of_its_coupon_and_others_have_none() -> None:
    assert sums(rendered_invoice(taxed("en"), SIDES))[1] == ("Discount: Primavera", "-R$3.50")
    discounted = invoice(replace(BASE, discount=100), language="en")
    assert sums(rendered_invoice(discounted, SIDES))[1] == ("Discount", "-R$1.00")


def test_a_credit_note_says_of_which_invoice_and_where_the_money_went() -> None:
    of = invoice(BASE, language="en")
    found = rendered_credit_note(
        credit_note(of, settles=1000, to_wallet=1500, refunded=499, reason="A mistake"), of, SIDES
    )
    assert (found.title, found.number, found.note) == ("Credit note", "CN-000007", "A mistake")
    assert dict(found.facts) == {"Number": "CN-000007", "Issued on": "1 Feb 2026", "Of invoice": "INV-000042"}
    assert sums(found) == [
        ("Total credited", "R$29.99"),
        ("Taken off the invoice", "R$10.00"),
        ("To your balance", "R$15.00"),
        ("Refunded", "R$4.99"),
    ]


def test_of_a_credit_note_what_had_been_withheld_is_not_given_back() -> None:
    of = taxed("en")
    found = sums(rendered_credit_note(credit_note(of), of, SIDES))
    assert ("IRRF 1.5% withheld on R$31.49", "-R$0.47") in found
    assert found[-2:] == [("Total credited", "R$32.58"), ("To your balance", "R$32.58")]


def test_the_seller_is_whom_the_settings_name() -> None:
    assert seller_of(Settings(), "en") == Heading("VeloFlux")
    settings = Settings(
        seller_name="Cia.", seller_tax_id="1", seller_address="Rua A, 1\n\n Recife ", seller_email="a@b.example"
    )
    lines = ("CPF/CNPJ 1", "Rua A, 1", "Recife", "a@b.example")
    assert seller_of(settings, "pt-BR") == Heading("Cia.", lines)


def test_of_a_buyer_only_what_is_known_is_said() -> None:
    assert buyer_of(Party(), "en") == Heading("")
    whole = Party(name="Acme", street="A", number="2", complement="B", district="C", postal_code="5")
    assert buyer_of(whole, "en").lines == ("A, 2, B", "C", "5")


def test_brazilian_numbers_are_written_as_people_write_them() -> None:
    acme = Party(name="Acme", tax_id="12ABC34501DE35", country="BR", postal_code="01310100", city="São Paulo")
    assert buyer_of(acme, "pt-BR").lines == ("CPF/CNPJ 12.ABC.345/01DE-35", "01310-100, São Paulo", "Brasil")
