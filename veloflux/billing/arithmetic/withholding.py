"""What a tenant that must withhold keeps of an invoice: it owes that to the state, in our name, and pays us the rest.

In Brazil: IRRF, PIS, COFINS, CSLL, and ISS in some cities. Their base is the amount of the services after discounts,
before exclusive taxes. A law that dispenses small amounts (Lei 9.430/1996, art. 67, of IRRF; Lei 10.833/2003, art. 31
§ 3, of PIS, COFINS and CSLL together: R$ 10.00 or less) is a `dispensed`; those together are one withholding of 4.65 %.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

from veloflux.billing.arithmetic.lines import Line, net
from veloflux.billing.arithmetic.percent import WHOLE, parts
from veloflux.kit.money import major, share
from veloflux.plans.prices import Percent, Price, Strict


class Withholding(Strict, frozen=True, kw_only=True):
    """A percentage that a tenant withholds of some services (by their codes; none: of all), unless it is small.

    An amount up to `dispensed`, that one included, is not withheld; in major units of the invoice's currency.
    """

    name: Annotated[str, Meta(min_length=1, max_length=40)]
    percent: Percent
    services: tuple[Annotated[str, Meta(min_length=1, max_length=40)], ...] = ()
    dispensed: Price = "0"


class Withheld(msgspec.Struct, frozen=True, array_like=True):
    """What is withheld of a document: `amount`, on `base`, both in minor units."""

    name: str
    percent: str
    base: int
    amount: int


def withhold(
    lines: Sequence[Line],
    withholdings: Iterable[Withholding],
    services: Mapping[str, str],
    gross: int,
    currency: str,
) -> tuple[Withheld, ...]:
    """What a tenant withholds of lines with their discounts, each amount rounded half up; what is nothing is left out.

    `services` has the code of the service of each plan, under "" that of lines without a plan. All of them together
    withhold at most the `gross` amount.

    >>> irrf = Withholding(name="IRRF", percent="1.5", dispensed="10")
    >>> withhold([Line("fixed", "Pro", 1_000_000)], [irrf], {}, 1_000_000, "BRL")
    (Withheld(name='IRRF', percent='1.5', base=1000000, amount=15000),)
    >>> withhold([Line("fixed", "Pro", 66_666)], [irrf], {}, 66_666, "BRL")  # R$ 10.00 is dispensed
    ()
    """
    found = []
    for one in withholdings:
        base = net(line for line in lines if not one.services or services.get(line.plan, "") in one.services)
        amount = min(share(base, parts(one.percent), WHOLE), gross)
        if major(amount, currency) > Decimal(one.dispensed):
            found.append(Withheld(one.name, one.percent, base, amount))
            gross -= amount
    return tuple(found)
