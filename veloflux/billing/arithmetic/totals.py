"""Lines, coupons, taxes and withholdings become an invoice: its lines, what they come to, and what is to be paid."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from veloflux.billing.arithmetic.discounts import discounted
from veloflux.billing.arithmetic.lines import Line, net
from veloflux.billing.arithmetic.taxes import TaxTotal, tax_totals
from veloflux.billing.arithmetic.withholding import Withheld, Withholding, withhold
from veloflux.plans.prices import Coupon, Tax


class Taken(msgspec.Struct, frozen=True, array_like=True):
    """What a coupon took off a document, in minor units; `name` is what it was called then."""

    coupon: str
    name: str
    amount: int


class Totals(msgspec.Struct, frozen=True, array_like=True):
    """What a document comes to, in minor units.

    `subtotal` is the sum of its lines, `discount` what was taken off them, `coupons` which coupon took how much of
    that. `total` = subtotal - discount + exclusive taxes; `net` = total - withheld is what is to be paid.
    """

    subtotal: int
    discount: int
    coupons: tuple[Taken, ...]
    taxes: tuple[TaxTotal, ...]
    total: int
    withheld: tuple[Withheld, ...]
    net: int


class Document(msgspec.Struct, frozen=True):
    """What an invoice or a credit note says: in a credit note, what is given back is positive."""

    lines: tuple[Line, ...]
    totals: Totals


def compose(
    lines: Sequence[Line],
    currency: str,
    *,
    coupons: Iterable[Coupon] = (),
    taxes: Sequence[Tax] = (),
    withholdings: Iterable[Withholding] = (),
    services: Mapping[str, str] | None = None,
) -> tuple[Document, Document | None]:
    """The invoice that lines make, which is never negative, and the credit note of what they lack to zero.

    `coupons` in the order in which they were attached, `taxes` those that hold for the tenant, `withholdings` the
    tenant's; `services` has the code of the service of each plan, under "" that of lines without a plan.

    >>> vat = Tax(id="vat", name="VAT", percent="20")
    >>> invoice, credit_note = compose([Line("fixed", "Pro", 2999), Line("credit", "Free", -999)], "GBP", taxes=[vat])
    >>> invoice.totals.subtotal, invoice.totals.total, credit_note
    (2000, 2400, None)
    >>> invoice, credit_note = compose([Line("credit", "Pro", -1000), Line("debit", "Basic", 400)], "GBP", taxes=[vat])
    >>> invoice.totals.total, credit_note.totals.total
    (0, 720)

    :raises PriceMissing: a coupon takes an amount, and has none in this currency.
    """
    attached = tuple(coupons)
    reduced, amounts = discounted(lines, attached, currency)
    names = {one.id: one.name for one in attached}
    taken = tuple(Taken(coupon, names[coupon], amount) for coupon, amount in amounts.items())
    billed, lack = split(reduced)
    charged = tax_totals(billed, taxes)
    withheld = withhold(billed, withholdings, services or {}, net(billed) + _on_top(charged), currency)
    invoice = Document(billed, add_up(billed, charged, withheld, taken))
    return invoice, Document(lack, add_up(lack, tax_totals(lack, taxes))) if lack else None


def split(lines: tuple[Line, ...]) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    """The lines of an invoice that is not negative, and those of the credit note that takes what it lacks to zero.

    >>> billed, lack = split((Line("credit", "Pro", -1000), Line("debit", "Basic", 400)))
    >>> [line.amount for line in billed], [line.amount for line in lack]
    ([-1000, 400, 600], [600])
    """
    lack = -net(lines)
    if lack <= 0:
        return lines, ()
    balance = Line("balance", "", lack)
    return (*lines, balance), (balance,)


def add_up(
    lines: Sequence[Line],
    taxes: tuple[TaxTotal, ...],
    withheld: tuple[Withheld, ...] = (),
    coupons: tuple[Taken, ...] = (),
) -> Totals:
    """The totals of a document, from its lines with their discounts and what was computed of them.

    >>> vat = TaxTotal("vat", "VAT", "20", False, 2700, 540)
    >>> totals = add_up([Line("fixed", "Pro", 3000, discount=300)], (vat,), coupons=(Taken("ten", "Ten", 300),))
    >>> totals.subtotal, totals.discount, totals.total, totals.net
    (3000, 300, 3240, 3240)
    """
    total = net(lines) + _on_top(taxes)
    return Totals(
        subtotal=sum(line.amount for line in lines),
        discount=sum(line.discount for line in lines),
        coupons=coupons,
        taxes=taxes,
        total=total,
        withheld=withheld,
        net=total - sum(one.amount for one in withheld),
    )


def _on_top(taxes: Iterable[TaxTotal]) -> int:
    return sum(tax.amount for tax in taxes if not tax.inclusive)
