"""Invoices as they were issued, for what is made of their texts."""

from typing import Any

from msgspec.structs import replace

from veloflux.billing.arithmetic.lines import Line
from veloflux.billing.arithmetic.totals import compose
from veloflux.billing.arithmetic.withholding import Withholding
from veloflux.billing.model import CreditNote, Invoice
from veloflux.billing.printing.parties import Heading
from veloflux.billing.printing.rendered import Sides
from veloflux.identity import Language
from veloflux.kit.clock import DAY_MS
from veloflux.plans.prices import Coupon, Tax

JANUARY, FEBRUARY = 1_767_236_400_000, 1_769_914_800_000
"""Where they begin in São Paulo."""
SIDES = Sides(
    Heading("Serviços & Cia.", ("12.ABC.345/01DE-35", "Av. Paulista 1000, São Paulo")),
    Heading("Açaí da Conceição", ("Rua A, 12", "Recife, PE")),
)
BASE = Line("fixed", "Pro", 29_99, start=JANUARY, end=FEBRUARY, plan="pro", quantity="1", price="29.99")
REQUESTS = replace(BASE, kind="usage", name="Requisições", amount=500, quantity="5000", price="0.001", tier=2)
TAXES = (
    Tax(id="iss", name="ISS", percent="5"),
    Tax(id="pis", name="PIS", percent="0.65", inclusive=True),
)
SPRING = Coupon(id="spring", name="Primavera", percent="10")


def invoice(*lines: Line, language: Language = "pt-BR", currency: str = "BRL", **fields: Any) -> Invoice:
    """An open one of these lines, without anything else about them."""
    return _issued(compose(lines, currency)[0], language=language, currency=currency, **fields)


def taxed(language: Language, **fields: Any) -> Invoice:
    """One with a discount, a tax on top, one within, one that is withheld, and something paid from the wallet."""
    withheld = [Withholding(name="IRRF", percent="1.5")]
    document, _ = compose([BASE, REQUESTS], "BRL", coupons=[SPRING], taxes=TAXES, withholdings=withheld)
    return _issued(document, language=language, currency="BRL", credit=1000, **fields)


def credit_note(of: Invoice, **fields: Any) -> CreditNote:
    """One over all of an invoice."""
    assert of.totals
    given = {"id": "crn_1", "number": "CN-000007", "to_wallet": of.totals.net, "created_at": FEBRUARY} | fields
    return CreditNote(invoice=of.id, currency=of.currency, lines=of.lines, totals=of.totals, **given)


def _issued(document: Any, **fields: Any) -> Invoice:
    issued = {
        "id": "inv_1",
        "status": "open",
        "number": "INV-000042",
        "reason": "period",
        "period_start": JANUARY,
        "period_end": FEBRUARY,
        "final_at": FEBRUARY,
        "issued_at": FEBRUARY,
        "due_at": FEBRUARY + 10 * DAY_MS,
        "zone": "America/Sao_Paulo",
        "created_at": FEBRUARY,
    }
    return Invoice(**issued | {"lines": document.lines, "totals": document.totals} | fields)
