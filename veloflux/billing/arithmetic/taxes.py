"""Which taxes hold for a tenant, and what they come to on the lines of a document.

With `r` the rate of a tax and `R` the sum of the rates of the inclusive ones, a line of `net` holds or bears the
precise tax `net * r / (1 + R)`: an inclusive tax lies within the line, an exclusive one is computed on what remains
without the inclusive ones. The tax of a document is the sum of the precise taxes of its lines, rounded once, half up.
The same taxes hold for all lines of a document, so that sum is what their sum bears: one exact fraction.
"""

from collections.abc import Iterable, Sequence

import msgspec

from veloflux.billing.arithmetic.lines import Line, net
from veloflux.billing.arithmetic.percent import WHOLE, parts
from veloflux.errors import InputInvalid
from veloflux.kit.money import share
from veloflux.plans.prices import Tax


class TaxTotal(msgspec.Struct, frozen=True, array_like=True):
    """What a tax comes to on a document: `amount`, on `base`, both in minor units."""

    id: str
    name: str
    percent: str
    inclusive: bool
    base: int
    amount: int


def holding(
    taxes: Iterable[Tax], country: str, state: str = "", listed: Sequence[str] | None = None
) -> tuple[Tax, ...]:
    """The taxes of a catalogue that hold for a tenant: those of its place, unless it has a list of its own.

    `country` is of ISO 3166, `state` as the catalogue writes it; either is empty where it is unknown. `listed` are the
    ids of the only ones that hold for it, whatever its place; an exempt tenant has an empty list.

    >>> vat = Tax(id="vat", name="VAT", percent="20", countries=("GB",))
    >>> [len(found) for found in (holding([vat], "GB"), holding([vat], "BR"), holding([vat], "GB", listed=()))]
    [1, 0, 0]

    :raises InputInvalid: the list names a tax that the catalogue lacks.
    """
    known = {tax.id: tax for tax in taxes}
    if listed is None:
        return tuple(tax for tax in known.values() if _is_of(tax, country, state))
    if unknown := sorted(set(listed) - known.keys()):
        raise InputInvalid(f"The catalogue has no tax {unknown[0][:60]!r}; choose among its taxes", field="taxes")
    return tuple(tax for tax in known.values() if tax.id in listed)


def _is_of(tax: Tax, country: str, state: str) -> bool:
    return (not tax.countries or country in tax.countries) and (not tax.states or state in tax.states)


def tax_totals(lines: Iterable[Line], taxes: Sequence[Tax]) -> tuple[TaxTotal, ...]:
    """What each tax comes to on lines with their discounts; negative where they come to less than nothing.

    The base of all is what the lines come to without the inclusive taxes: base + taxes = total.

    >>> within = Tax(id="vat", name="VAT", percent="20", inclusive=True)
    >>> [(tax.base, tax.amount) for tax in tax_totals([Line("fixed", "Pro", 12000)], [within])]
    [(10000, 2000)]
    """
    held = net(lines)
    whole = WHOLE + sum(parts(tax.percent) for tax in taxes if tax.inclusive)
    amounts = [share(held, parts(tax.percent), whole) for tax in taxes]
    base = held - sum(amount for tax, amount in zip(taxes, amounts, strict=True) if tax.inclusive)
    return tuple(
        TaxTotal(tax.id, tax.name, tax.percent, tax.inclusive, base, amount)
        for tax, amount in zip(taxes, amounts, strict=True)
    )
