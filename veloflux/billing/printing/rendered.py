"""An invoice or a credit note as people read it: every text of it, in its language. Pure.

The page and the PDF are made of this, so that they cannot differ. Sentences are in the catalogues of `kit/locales`.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from veloflux.billing.arithmetic.lines import Line
from veloflux.billing.arithmetic.taxes import TaxTotal
from veloflux.billing.arithmetic.totals import Totals
from veloflux.billing.model import CreditNote, Invoice
from veloflux.billing.printing.parties import Heading
from veloflux.billing.printing.writing import Writing

Stamp = Literal["", "paid", "void"]


class Row(NamedTuple):
    """A line: `about` says what it is, and of which days."""

    name: str
    about: str
    quantity: str
    price: str
    amount: str


class Sum(NamedTuple):
    """An amount below the lines. What is `said` alone is part of another one."""

    label: str
    amount: str
    weight: Literal["", "total", "said"] = ""


class Rendered(NamedTuple):
    """`facts` and `columns` have their labels; `issued_at` is epoch ms; `stamp` says what became of it in a code,
    `status` in words. `page` are the words of a page's number, to be filled in."""

    title: str
    number: str
    currency: str
    language: str
    issued_at: int
    stamp: Stamp
    status: str
    facts: tuple[tuple[str, str], ...]
    seller: tuple[str, Heading]
    buyer: tuple[str, Heading]
    columns: tuple[str, str, str, str]
    rows: tuple[Row, ...]
    sums: tuple[Sum, ...]
    note: str
    page: str


class Sides(NamedTuple):
    """Who sells and who buys."""

    seller: Heading
    buyer: Heading


def writing_of(invoice: Invoice) -> Writing:
    """How an invoice is written, and the credit notes on it."""
    return Writing(invoice.language, invoice.zone, invoice.currency)


def rendered_invoice(invoice: Invoice, sides: Sides) -> Rendered:
    """A final invoice, which has its totals."""
    writing, stamp = writing_of(invoice), stamp_of(invoice)
    _ = writing.gettext
    facts = (
        (_("Number"), invoice.number),
        (_("Issued on"), writing.day(invoice.issued_at)),
        (_("Due on"), writing.day(invoice.due_at)),
        (_("Period"), writing.days(invoice.period_start, invoice.period_end)),
        (_("Paid on"), writing.day(invoice.settled_at) if stamp == "paid" else ""),
    )
    status = {"paid": _("Paid"), "void": _("Voided"), "": _("To be paid")}[stamp]
    return _document(
        writing,
        sides,
        title=_("Invoice"),
        number=invoice.number,
        issued_at=invoice.issued_at,
        stamp=stamp,
        status=status,
        facts=facts,
        lines=invoice.lines,
        sums=_sums_of_invoice(writing, invoice),
    )


def rendered_credit_note(note: CreditNote, invoice: Invoice, sides: Sides) -> Rendered:
    """A credit note on an invoice, in whose language it is."""
    writing = writing_of(invoice)
    _ = writing.gettext
    facts = (
        (_("Number"), note.number),
        (_("Issued on"), writing.day(note.created_at)),
        (_("Of invoice"), invoice.number),
    )
    return _document(
        writing,
        sides,
        title=_("Credit note"),
        number=note.number,
        issued_at=note.created_at,
        facts=facts,
        lines=note.lines,
        sums=_sums_of_credit_note(writing, note),
        note=note.reason,
    )


def stamp_of(invoice: Invoice) -> Stamp:
    """What is stamped on an invoice: it is paid, or does not hold."""
    match invoice.status:
        case "paid" | "void":
            return invoice.status
    return ""


def rendered_lines(writing: Writing, lines: Sequence[Line]) -> tuple[Row, ...]:
    """Lines that are of no document yet, or of a draft."""
    return tuple(_row(writing, line) for line in lines)


def rendered_totals(writing: Writing, totals: Totals) -> tuple[Sum, ...]:
    """What lines would come to."""
    return tuple(_sums(writing, totals, writing.gettext("Total")))


def _document(
    writing: Writing,
    sides: Sides,
    *,
    title: str,
    number: str,
    issued_at: int | None,
    facts: Sequence[tuple[str, str]],
    lines: Sequence[Line],
    sums: Iterable[Sum],
    stamp: Stamp = "",
    status: str = "",
    note: str = "",
) -> Rendered:
    _ = writing.gettext
    return Rendered(
        title=title,
        number=number,
        currency=writing.currency,
        language=writing.language,
        issued_at=issued_at or 0,
        stamp=stamp,
        status=status,
        facts=tuple(fact for fact in facts if fact[1]),
        seller=(_("Seller"), sides.seller),
        buyer=(_("Billed to"), sides.buyer),
        columns=(_("Description"), _("Quantity"), _("Unit price"), _("Amount")),
        rows=tuple(_row(writing, line) for line in lines),
        sums=tuple(sums),
        note=note,
        page=_("Page %(page)s of %(pages)s"),
    )


def _row(writing: Writing, line: Line) -> Row:
    about = " · ".join(part for part in (_kind(writing, line), writing.days(line.start, line.end)) if part)
    name = line.name or _kind(writing, line)
    return Row(
        name,
        about if line.name else "",
        writing.number(line.quantity),
        writing.price(line),
        writing.money(line.amount),
    )


def _kind(writing: Writing, line: Line) -> str:
    """What the name of a line does not say."""
    _ = writing.gettext
    tier = _("tier %(tier)s") % {"tier": line.tier} if line.tier else ""
    said = {
        "flat": _("flat fee"),
        "package": _("packages"),
        "percent": _("share of the amount"),
        "fee": _("fee for each"),
        "minimum": _("up to the minimum"),
        "maximum": _("beyond the maximum"),
        "setup": _("set-up fee"),
        "credit": _("unused part"),
        "debit": _("remaining part"),
        "adjustment": _("late usage"),
        "balance": _("Carried over to your balance"),
    }.get(line.kind, "")
    return ", ".join(part for part in (said, tier) if part)


def _sums_of_invoice(writing: Writing, invoice: Invoice) -> Iterator[Sum]:
    _, totals = writing.gettext, invoice.totals
    assert totals, "a draft is not rendered"
    yield from _sums(writing, totals, _("Gross total") if totals.withheld else _("Total"))
    if totals.withheld:
        yield Sum(_("Net total"), writing.money(totals.net), "total")
    for label, amount in (
        (_("Paid from your balance"), invoice.credit),
        (_("Credited"), invoice.credited),
        (_("Payments"), invoice.paid),
    ):
        if amount:
            yield Sum(label, writing.money(-amount))
    due = totals.net - invoice.credit - invoice.credited - invoice.paid
    yield Sum(_("Due"), writing.money(0 if stamp_of(invoice) else due), "total")


def _sums_of_credit_note(writing: Writing, note: CreditNote) -> Iterator[Sum]:
    _ = writing.gettext
    yield from _sums(writing, note.totals, _("Gross total") if note.totals.withheld else _("Total credited"))
    if note.totals.withheld:
        yield Sum(_("Total credited"), writing.money(note.totals.net), "total")
    for label, amount in (
        (_("Taken off the invoice"), note.settles),
        (_("To your balance"), note.to_wallet),
        (_("Refunded"), note.refunded),
    ):
        if amount:
            yield Sum(label, writing.money(amount))


def _sums(writing: Writing, totals: Totals, total: str) -> Iterator[Sum]:
    """From the lines to what they come to; what is on top before the total, what lies within it after."""
    _ = writing.gettext
    if totals.discount or any(not tax.inclusive for tax in totals.taxes):
        yield Sum(_("Subtotal"), writing.money(totals.subtotal))
    for taken in totals.coupons:
        yield Sum(_("Discount: %(coupon)s") % {"coupon": taken.name}, writing.money(-taken.amount))
    if rest := totals.discount - sum(taken.amount for taken in totals.coupons):
        yield Sum(_("Discount"), writing.money(-rest))
    for tax in totals.taxes:
        if not tax.inclusive:
            yield Sum(_tax(writing, _("%(tax)s %(percent)s on %(base)s"), tax), writing.money(tax.amount))
    yield Sum(total, writing.money(totals.total), "total")
    for tax in totals.taxes:
        if tax.inclusive:
            yield Sum(_tax(writing, _("%(tax)s %(percent)s included"), tax), writing.money(tax.amount), "said")
    for one in totals.withheld:
        filled = {"tax": one.name, "percent": writing.percent(one.percent), "base": writing.money(one.base)}
        yield Sum(_("%(tax)s %(percent)s withheld on %(base)s") % filled, writing.money(-one.amount))


def _tax(writing: Writing, words: str, tax: TaxTotal) -> str:
    filled = {"tax": tax.name, "percent": writing.percent(tax.percent), "base": writing.money(tax.base)}
    return words % filled
