"""What of an invoice can still be credited, and the totals of a credit note on it.

Each line once, over all credit notes, and together no more than the invoice came to: where it has a credit itself, that
one counts against the others. Taxes and what was withheld follow in proportion, so that after each credit note their
credited sum is the rounded proportion of all that was credited: the last one takes the remainder, and credit notes over
everything are the invoice to the cent.
"""

from collections.abc import Mapping, Sequence

import msgspec

from veloflux.billing.arithmetic.lines import Line, net
from veloflux.billing.arithmetic.taxes import TaxTotal
from veloflux.billing.arithmetic.totals import Document, Totals, add_up
from veloflux.billing.arithmetic.withholding import Withheld
from veloflux.errors import AlreadyDone, InputInvalid
from veloflux.kit.money import share


class Credited(Document, frozen=True):
    """A credit note on an invoice: each of `lines` credits the one of the invoice whose place, from 0, `of` has.

    Such a line says what was billed; its `amount` is what of that is credited, after its discount.
    """

    of: tuple[int, ...]


def creditable(invoice: Document, earlier: Sequence[Credited]) -> list[int]:
    """What of each line earlier credit notes left, in minor units after the discount; negative of a credit.

    >>> creditable(Document((Line("fixed", "Pro", 2999, discount=300),), add_up((), ())), [])
    [2699]
    """
    left = [line.net for line in invoice.lines]
    for note in earlier:
        for at, line in zip(note.of, note.lines, strict=True):
            left[at] -= line.amount
    return left


def credit(invoice: Document, earlier: Sequence[Credited], wanted: Mapping[int, int] | None = None) -> Credited:
    """The credit note that gives back what is `wanted` of some lines, by their places; None: all that is left.

    >>> vat = TaxTotal("vat", "VAT", "20", False, 1999, 400)
    >>> lines = (Line("fixed", "Pro", 1999),)
    >>> invoice = Document(lines, add_up(lines, (vat,)))
    >>> half = credit(invoice, [], {0: 1000})
    >>> half.totals.total, credit(invoice, [half]).totals.total, invoice.totals.total
    (1200, 1199, 2399)

    :raises AlreadyDone: nothing is left to credit.
    :raises InputInvalid: a line that the invoice lacks, or more than is left of one, or of all together.
    """
    left = creditable(invoice, earlier)
    if sum(left) == 0:
        raise AlreadyDone("All of this invoice is credited")
    chosen = {at: amount for at, amount in enumerate(left) if amount} if wanted is None else dict(wanted)
    _check(chosen, left)
    lines = tuple(msgspec.structs.replace(invoice.lines[at], amount=chosen[at], discount=0) for at in sorted(chosen))
    return Credited(lines, _proportion(invoice, net(invoice.lines) - sum(left), lines), of=tuple(sorted(chosen)))


def _check(chosen: Mapping[int, int], left: Sequence[int]) -> None:
    for at, amount in chosen.items():
        if not 0 <= at < len(left):
            raise InputInvalid(f"The invoice has no line {at}; its first is 0", field="lines")
        if not (0 < amount <= left[at] or left[at] <= amount < 0):
            raise InputInvalid(f"Of line {at} only {left[at]} minor units can be credited", field="lines")
    if not 0 < sum(chosen.values()) <= sum(left):
        raise InputInvalid(f"Of this invoice only {sum(left)} minor units can be credited", field="lines")


def _proportion(invoice: Document, before: int, lines: Sequence[Line]) -> Totals:
    """The totals of crediting `lines` of an invoice of which `before` was credited."""
    whole, now = net(invoice.lines), net(lines)

    def follow(amount: int) -> int:
        return share(amount, before + now, whole) - share(amount, before, whole)

    amounts = [follow(tax.amount) for tax in invoice.totals.taxes]
    within = sum(amount for tax, amount in zip(invoice.totals.taxes, amounts, strict=True) if tax.inclusive)
    taxes = [
        TaxTotal(tax.id, tax.name, tax.percent, tax.inclusive, now - within, amount)
        for tax, amount in zip(invoice.totals.taxes, amounts, strict=True)
    ]
    withheld = [
        Withheld(one.name, one.percent, follow(one.base), follow(one.amount)) for one in invoice.totals.withheld
    ]
    return add_up(lines, tuple(taxes), tuple(withheld))
