"""What the usage of a period costs: a charge and a quantity become amounts, one for each line. Pure.

Amounts are exact: they are rounded once, where each becomes a line (`rounded`).
"""

import decimal
from collections.abc import Callable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Literal

import msgspec

from veloflux.errors import PriceMissing
from veloflux.kit.money import EXACT, major, minor
from veloflux.plans.prices import Model, Tier, UsageCharge, UsagePrice

Kind = Literal["units", "flat", "package", "percent", "fee", "minimum", "maximum"]
NOTHING, ONE = Decimal(0), Decimal(1)


class Rated(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes a line: `quantity` times `unit` is `amount`, in major units, exact; bounds have no `unit`.

    `quantity` is in units of the meter (`package`: packages; `fee`: units of the charge's fees_meter; else 1). `tier`
    counts from 1.
    """

    kind: Kind
    quantity: Decimal = ONE
    unit: Decimal | None = None
    amount: Decimal
    tier: int | None = None


def rate(
    charge: UsageCharge,
    currency: str,
    quantity: Decimal,
    fees: Decimal = NOTHING,
    *,
    share: tuple[int, int] = (1, 1),
    places: int = 0,
) -> list[Rated]:
    """What a quantity of the charge's meter costs, and `fees` of its fees_meter, both in units of their meters.

    >>> from veloflux.plans.prices import UsageCharge, UsagePrice
    >>> charge = UsageCharge(meter="gb", included="200", prices={"USD": UsagePrice(unit="0.10")})
    >>> [(line.quantity, line.amount) for line in rate(charge, "USD", Decimal(250))]
    [(Decimal('50'), Decimal('5.00'))]

    `share` is the part of a whole period in which it was used (seconds of it, seconds of the whole): so much of what is
    included and free (rounded half up, to the meter's `places` and to whole fees), of the minimum and of the maximum
    holds; prices, tiers and their flats hold as they are. What costs exactly nothing is left out. A quantity below
    zero, as a sum may become when it is corrected, is billed as none: it is no credit.

    :raises PriceMissing: the charge has no price in this currency.
    """
    price = charge.prices.get(currency)
    if price is None:
        raise PriceMissing(f"The charge for {charge.meter} has no price in {currency[:10]}", field="currency")
    with decimal.localcontext(EXACT):
        billed = _beyond(quantity, charge.included, share, places)
        counted = _beyond(fees, str(charge.free_fees), share, places=0)
        lines = [line for line in MODELS[charge.model](charge, price, billed, counted) if line.amount]
        return lines + _bounds(lines, price, currency, share)


def rounded(rated: Rated, currency: str) -> int:
    """What a line comes to, in minor units, rounded half up.

    >>> rounded(Rated(kind="flat", amount=Decimal("0.125")), "USD")
    13
    """
    return minor(rated.amount, currency)


def free_in(free: str, share: tuple[int, int], places: int) -> Decimal:
    """What is free in a part of a whole period.

    >>> free_in("25", (1, 2), 0), free_in("25", (1, 1), 0)
    (Decimal('13'), Decimal('25'))
    """
    part, whole = share
    if part == whole:
        return Decimal(free)
    with decimal.localcontext(EXACT):
        return (Decimal(free) * part / whole).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _beyond(quantity: Decimal, free: str, share: tuple[int, int], places: int) -> Decimal:
    """What of a quantity is not free."""
    return max(quantity - free_in(free, share, places), NOTHING)


def _per_unit(_charge: UsageCharge, price: UsagePrice, billed: Decimal, _fees: Decimal) -> Iterator[Rated]:
    yield _times("units", billed, price.unit)


def _graduated(charge: UsageCharge, price: UsagePrice, billed: Decimal, _fees: Decimal) -> Iterator[Rated]:
    for number, tier, within in _reached(charge, price, billed):
        yield _times("units", within, tier.unit, number)
        yield _times("flat", ONE, tier.flat, number)


def _volume(charge: UsageCharge, price: UsagePrice, billed: Decimal, _fees: Decimal) -> Iterator[Rated]:
    for number, tier, _ in _reached(charge, price, billed)[-1:]:
        yield _times("units", billed, tier.unit, number)
        yield _times("flat", ONE, tier.flat, number)


def _package(charge: UsageCharge, price: UsagePrice, billed: Decimal, _fees: Decimal) -> Iterator[Rated]:
    full, begun = divmod(billed, Decimal(charge.package))
    yield _times("package", full + ONE if begun else full, price.unit)


def _percentage(_charge: UsageCharge, price: UsagePrice, billed: Decimal, fees: Decimal) -> Iterator[Rated]:
    yield _times("percent", billed, Decimal(price.percent) / 100)
    yield _times("fee", fees, price.fee)


MODELS: Mapping[Model, Callable[[UsageCharge, UsagePrice, Decimal, Decimal], Iterator[Rated]]] = MappingProxyType(
    {
        "per_unit": _per_unit,
        "graduated": _graduated,
        "volume": _volume,
        "package": _package,
        "percentage": _percentage,
    }
)


def _reached(charge: UsageCharge, price: UsagePrice, billed: Decimal) -> list[tuple[int, Tier, Decimal]]:
    """The tiers that a quantity falls into, each with its number and what of the quantity is within it."""
    found: list[tuple[int, Tier, Decimal]] = []
    below = NOTHING
    for number, tier in enumerate(price.tiers, 1):
        if below == billed and not (charge.bill_first_tier_when_unused and number == 1):
            break
        top = billed if tier.up_to is None else min(billed, Decimal(tier.up_to))
        found.append((number, tier, top - below))
        below = top
    return found


def _bounds(lines: list[Rated], price: UsagePrice, currency: str, share: tuple[int, int]) -> list[Rated]:
    """The line, if any, that brings a charge to its minimum or maximum: to the minor unit, so it counts the others as
    they are rounded."""
    part, whole = share
    total = sum(rounded(line, currency) for line in lines)
    if price.minimum is not None and total < (least := minor(Decimal(price.minimum) * part / whole, currency)):
        return [Rated(kind="minimum", amount=major(least - total, currency))]
    if price.maximum is not None and total > (most := minor(Decimal(price.maximum) * part / whole, currency)):
        return [Rated(kind="maximum", amount=major(most - total, currency))]
    return []


def _times(kind: Kind, quantity: Decimal, unit: str | Decimal, tier: int | None = None) -> Rated:
    price = Decimal(unit)
    return Rated(kind=kind, quantity=quantity, unit=price, amount=quantity * price, tier=tier)
