"""PDFs, as a reader of PDFs reads them."""

import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from pypdf import PdfReader

from tests.billing.documents import BASE, REQUESTS, SIDES, credit_note, invoice, taxed
from veloflux.billing.arithmetic.lines import Line
from veloflux.billing.arithmetic.totals import Taken
from veloflux.billing.model import Invoice
from veloflux.billing.printing.parties import Heading
from veloflux.billing.printing.rendered import Sides, rendered_credit_note, rendered_invoice
from veloflux.billing.printing.sheet import pdf
from veloflux.identity import Language

DRAWS_AND_LOGS = """
import sys
from pathlib import Path
from msgspec.structs import replace
from tests.billing.documents import BASE, SIDES, invoice
from veloflux import logs
from veloflux.billing.printing.rendered import rendered_invoice
from veloflux.billing.printing.sheet import pdf
from veloflux.settings import Settings

logs.configure(Settings(data_dir=Path(sys.argv[1])))
if pdf(rendered_invoice(invoice(replace(BASE, name="Łódź")), SIDES)):
    print("drawn")
"""


def pages(content: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(BytesIO(content)).pages]


def drawn(of: Invoice, sides: Sides = SIDES) -> list[str]:
    return pages(pdf(rendered_invoice(of, sides)))


@pytest.mark.parametrize("language", ["pt-BR", "en"])
def test_everything_of_an_invoice_is_on_its_sheet(language: Language) -> None:
    document = rendered_invoice(taxed(language), SIDES)
    [text] = pages(pdf(document))
    expected = [document.title, document.number, *document.columns]
    expected += [text for fact in document.facts for text in fact]
    expected += [text for row in document.rows for text in row]
    expected += [text for one in document.sums for text in (one.label, one.amount)]
    expected += [
        text for label, party in (document.seller, document.buyer) for text in (label, party.name, *party.lines)
    ]
    assert len(expected) > 40
    assert [one for one in expected if one not in text] == []


def test_a_credit_note_has_its_reason() -> None:
    of = invoice(BASE)
    [text] = pages(pdf(rendered_credit_note(credit_note(of, reason="Cobrança em dobro"), of, SIDES)))
    assert "Nota de crédito" in text
    assert "CN-000007" in text
    assert "Cobrança em dobro" in text


def test_a_paid_invoice_is_stamped() -> None:
    assert "PAGA" in drawn(invoice(BASE, status="paid"))[0]
    assert "ANULADA" in drawn(invoice(BASE, status="void"))[0]
    assert "A PAGAR" not in drawn(invoice(BASE))[0]


def test_three_hundred_lines_are_all_there_under_their_columns_on_numbered_pages() -> None:
    lines = [replace(REQUESTS, name=f"Meter {at}.", quantity=f"{at}.5", amount=at) for at in range(300)]
    found = drawn(invoice(*lines, language="en"))
    assert len(found) > 9
    assert re.findall(r"Meter (\d+)\.", "".join(found)) == [str(at) for at in range(300)]
    for at, text in enumerate(found, 1):
        assert f"Page {at} of {len(found)}" in text
        assert "Unit price" in text or "Meter" not in text
        assert "INV-000042" in text
    assert "Due" in found[-1]


def test_what_an_invoice_comes_to_is_on_one_page_however_many_lines_there_are() -> None:
    of, sums = taxed("en"), rendered_invoice(taxed("en"), SIDES).sums
    for count in range(10, 24):
        last = drawn(replace(of, lines=(BASE,) * count))[-1]
        assert [one for one in sums if one.label not in last] == []


def test_the_same_invoice_is_the_same_bytes_whenever_it_is_drawn() -> None:
    document = rendered_invoice(taxed("pt-BR"), SIDES)
    assert pdf(document) == pdf(document)
    info = PdfReader(BytesIO(pdf(document))).metadata
    assert info
    assert (info.title, info.author) == ("Fatura INV-000042", "Serviços & Cia.")
    assert info.creation_date
    assert info.creation_date.timestamp() * 1000 == document.issued_at


@pytest.mark.parametrize(
    ("currency", "amount"), [("EUR", "€29.99"), ("INR", "₹29.99"), ("JPY", "¥2,999"), ("KRW", "₩2,999")]
)
def test_money_is_told_in_every_currency(currency: str, amount: str) -> None:
    [text] = drawn(invoice(replace(BASE, price=""), language="en", currency=currency))
    assert amount in text


@pytest.mark.parametrize(
    "name", ["Žluťoučký kůň", "Łódź Sp. z o.o.", "Товарищество «Ёлка»", "Ανώνυμη Εταιρεία", "Şişli €"]
)
def test_names_of_all_europe_are_written_as_they_are(name: str) -> None:
    found = drawn(invoice(replace(BASE, name=name), language="en"), Sides(SIDES.seller, Heading(name, (name,))))
    assert found[0].count(name) == 3
    assert "Page 1 of 1" in found[0]


def test_only_a_document_that_needs_it_brings_its_font_along() -> None:
    plain, wide = invoice(BASE), invoice(replace(BASE, name="Łódź"))
    assert len(pdf(rendered_invoice(plain, SIDES))) < 5_000
    assert len(pdf(rendered_invoice(invoice(replace(BASE, name="Cobranc\N{COMBINING CEDILLA}a")), SIDES))) < 5_000
    content = pdf(rendered_invoice(wide, SIDES))
    assert 10_000 < len(content) < 50_000
    assert content == pdf(rendered_invoice(wide, SIDES))


def test_the_log_has_nothing_of_the_names_on_a_sheet(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DRAWS_AND_LOGS, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "drawn\n"
    assert done.stderr == ""
    assert (tmp_path / "log" / "server.log").read_text() == ""


def test_what_the_fonts_lack_is_written_as_near_as_it_can_be() -> None:
    [text] = drawn(invoice(replace(BASE, name="Łódź 株式 ㎏")), Sides(Heading("مرحبا"), Heading("שלום")))
    assert "Łódź ?? kg" in text
    assert "?????" in text
    assert "????" in text


@pytest.mark.parametrize(
    "text",
    [
        "x" * 5_000,
        "{nb} \x01\x01\x01 \\ ( ) % </b> **bold** __u__ [l](http://a)",
        "\n\r\t\0 \u202e \u200b \ud800",
        " ",
        "\U0001f600" * 50,
    ],
)
def test_no_text_breaks_the_sheet(text: str) -> None:
    sides = Sides(Heading(text, (text,)), Heading(text, (text, text)))
    of = taxed("en")
    assert of.totals
    of = replace(of, totals=replace(of.totals, coupons=(Taken("spring", text, 350),)))
    found = pages(pdf(rendered_credit_note(credit_note(of, reason=text), of, sides)))
    assert "CN-000007" in found[0]
    assert "R$3.50" in "".join(drawn(of, sides))
    lines = "".join(drawn(invoice(Line("item", text, 1_234), BASE), sides))
    assert "12,34" in lines
    assert "29,99" in lines


def test_a_text_of_signs_of_pdf_stands_there_as_it_is() -> None:
    hostile = "{nb} \\ (a) % </b> **b** __u__ --x--"
    assert hostile in drawn(invoice(replace(BASE, name=hostile)))[0]


def test_amounts_that_are_wider_than_their_column_are_whole() -> None:
    wide = replace(BASE, amount=10**15, quantity="999999999999999.999999999", price="999999999999.999999999999")
    text = "".join(drawn(invoice(wide, language="en"))).replace("\n", "")
    assert "10,000,000,000,000.00" in text
    assert "999,999,999,999,999.999999999" in text


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=300), st.integers(-(10**15), 10**15))
def test_any_text_and_amount_can_be_drawn(text: str, amount: int) -> None:
    assert drawn(
        invoice(Line("item", text, amount), Line("item", "x", 10**15)), Sides(Heading(text), Heading(text, (text,)))
    )
