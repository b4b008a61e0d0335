"""Invoices and credit notes as the API and the commands show them: whole, with the buyer opened. Pure.

Amounts are minor units of `currency`, times epoch ms of the tenant's clock.
"""

from collections.abc import Mapping
from typing import TypeVar

import msgspec
from msgspec.structs import asdict

from veloflux.billing.arithmetic.lines import Kind, Line
from veloflux.billing.arithmetic.totals import Totals
from veloflux.billing.model import CreditNote, Invoice, Reason
from veloflux.billing.states import InvoiceStatus
from veloflux.identity import Language
from veloflux.kit.fiscal import Party

S = TypeVar("S", bound=msgspec.Struct)


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an answer."""


class LineShown(Shown, frozen=True, kw_only=True):
    """`amount` is before `discount`, both before exclusive taxes. `price` is of one unit, package, seat or tier, in
    major units, or of one hundred (`percent`); `tier` counts from 1, 0 is none."""

    kind: Kind
    name: str
    amount: int
    discount: int
    start: int
    end: int
    plan: str
    meter: str
    quantity: str
    price: str
    tier: int


class TaxShown(Shown, frozen=True, kw_only=True):
    """What a tax comes to; an inclusive one lies within the lines."""

    id: str
    name: str
    percent: str
    inclusive: bool
    base: int
    amount: int


class WithheldShown(Shown, frozen=True, kw_only=True):
    """What the tenant keeps, for it pays that to the state itself."""

    name: str
    percent: str
    base: int
    amount: int


class TakenShown(Shown, frozen=True, kw_only=True):
    """What a coupon took off."""

    coupon: str
    name: str
    amount: int


class TotalsShown(Shown, frozen=True, kw_only=True):
    """`total` = `subtotal` - `discount` + exclusive taxes; `net` = `total` - what is withheld."""

    subtotal: int
    discount: int
    coupons: tuple[TakenShown, ...]
    taxes: tuple[TaxShown, ...]
    total: int
    withheld: tuple[WithheldShown, ...]
    net: int


class InvoiceShown(Shown, frozen=True, kw_only=True):
    """`credit` was paid from the wallet, `credited` by credit notes; `due` is what is still to be paid. A draft has no
    number and no totals yet. `page` is the address of its page, for who pays; "" as long as there is none."""

    id: str
    status: InvoiceStatus
    number: str
    subscription: str
    reason: Reason
    currency: str
    period_start: int
    period_end: int
    lines: tuple[LineShown, ...]
    totals: TotalsShown | None
    credit: int
    credited: int
    paid: int
    due: int
    final_at: int
    issued_at: int | None
    due_at: int | None
    settled_at: int | None
    attempts: int
    buyer: Party
    language: Language
    zone: str
    page: str
    created_at: int


class CreditNoteShown(Shown, frozen=True, kw_only=True):
    """`settles` was not paid yet of its invoice; the rest went to the wallet or was refunded."""

    id: str
    number: str
    invoice: str
    currency: str
    lines: tuple[LineShown, ...]
    totals: TotalsShown
    settles: int
    to_wallet: int
    refunded: int
    reason: str
    created_at: int


def shown_invoice(invoice: Invoice, buyer: Party, page: str) -> InvoiceShown:
    """An invoice as it is shown."""
    totals = shown_totals(invoice.totals) if invoice.totals else None
    own = {"lines": shown_lines(invoice.lines), "totals": totals, "buyer": buyer, "due": invoice.due, "page": page}
    return same(InvoiceShown, invoice, own)


def shown_credit_note(note: CreditNote) -> CreditNoteShown:
    """A credit note as it is shown."""
    return same(CreditNoteShown, note, {"lines": shown_lines(note.lines), "totals": shown_totals(note.totals)})


def shown_lines(lines: tuple[Line, ...]) -> tuple[LineShown, ...]:
    """Lines as they are shown."""
    return tuple(LineShown(**asdict(line)) for line in lines)


def shown_totals(totals: Totals) -> TotalsShown:
    """Totals as they are shown."""
    taxes = tuple(TaxShown(**asdict(tax)) for tax in totals.taxes)
    withheld = tuple(WithheldShown(**asdict(one)) for one in totals.withheld)
    coupons = tuple(TakenShown(**asdict(one)) for one in totals.coupons)
    return TotalsShown(**asdict(totals) | {"coupons": coupons, "taxes": taxes, "withheld": withheld})


def same(kind: type[S], entity: msgspec.Struct, own: Mapping[str, object]) -> S:
    """What is shown of an entity: its fields of the same names, and those that are made for it."""
    return kind(**{name: own[name] if name in own else getattr(entity, name) for name in kind.__struct_fields__})
