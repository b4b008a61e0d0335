"""What a plan costs: its charges, and the models, tiers and currencies of their prices; add-ons, coupons and taxes.

Prices are texts in major units of a currency, so that nothing is lost on the way: `29.99`, a unit price with up to 12
places. Quantities are in the unit of the meter.
"""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from veloflux.errors import CurrencyUnknown, PriceInvalid, PriceMissing
from veloflux.kit.money import EXACT, minor_digits

Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]
Price = Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,12})?$")]
Quantity = Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,9})?$")]
Percent = Annotated[str, Meta(pattern=r"^(100|[0-9]{1,2}(\.[0-9]{1,6})?)$")]
Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=60)]
Words = Annotated[str, Meta(min_length=1, max_length=100)]
Model = Literal["per_unit", "graduated", "volume", "package", "percentage"]

PRICED_BY: Mapping[Model, Collection[str]] = MappingProxyType(
    {
        "per_unit": ("unit",),
        "graduated": ("tiers", "bill_first_tier_when_unused"),
        "volume": ("tiers", "bill_first_tier_when_unused"),
        "package": ("unit", "package"),
        "percentage": ("percent", "fee", "fees_meter", "free_fees"),
    }
)
"""Which fields of a charge and its prices a model knows, of those that not all of them do."""
T = TypeVar("T")


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is written by hand or compared by its text."""


class Named(Strict, frozen=True, kw_only=True):
    """What is sold, given or taken under a name of its own."""

    id: Name
    name: Words


class Tier(Strict, frozen=True, kw_only=True):
    """Of the units up to `up_to` (that one included; None: all others) each costs `unit`, the tier itself `flat`."""

    up_to: Quantity | None = None
    unit: Price = "0"
    flat: Price = "0"


class UsagePrice(Strict, frozen=True, kw_only=True):
    """What a charge costs in one currency; which fields count depends on its model.

    `unit`: of each unit (`per_unit`) or package (`package`). `tiers`: of `graduated` and `volume`. `percent` and `fee`:
    of `percentage`. `minimum` and `maximum` bound what the charge comes to in a period.
    """

    unit: Price = "0"
    tiers: tuple[Tier, ...] = ()
    percent: Percent = "0"
    fee: Price = "0"
    minimum: Price | None = None
    maximum: Price | None = None


class UsageCharge(Strict, frozen=True, kw_only=True):
    """What the usage of a meter costs, beyond what is `included`.

    `graduated` prices each unit by the tier it falls into, `volume` all of them by the tier that the last one does.
    `package` sells `package` units at a time. `percentage` takes a share of a meter that sums money, in major units,
    and a fee for each unit of `fees_meter` beyond `free_fees`.
    """

    meter: Name
    model: Model = "per_unit"
    included: Quantity = "0"
    package: Quantity = "1"
    fees_meter: Annotated[str, Meta(max_length=60)] = ""
    free_fees: Annotated[int, Meta(ge=0, lt=2**53)] = 0
    bill_first_tier_when_unused: bool = False
    prices: dict[Currency, UsagePrice]

    def check(self, where: str) -> None:
        """Refuse what contradicts itself; `where` is the plan that a sentence names.

        :raises PriceInvalid, PriceMissing, CurrencyUnknown: as of all prices.
        """
        what = f"{where} in its charge for {self.meter}"
        if not Decimal(self.package):
            raise PriceInvalid(f"{what} sells packages of nothing", field="package")
        _check_model(what, self.model, self)
        for currency, price in check_currencies(what, self.prices).items():
            _check_model(what, self.model, price)
            if Decimal(price.fee) and not self.fees_meter:
                raise PriceInvalid(
                    f"{what} has a fee and no fees_meter, which counts what it is for", field="fees_meter"
                )
            _check_tiers(what, price.tiers)
            _check_bounds(what, currency, price)


PLAIN = {
    field.name: field.default
    for kind in (UsageCharge, UsagePrice)
    for field in msgspec.structs.fields(kind)
    if any(field.name in known for known in PRICED_BY.values())
}
"""What those fields are where nobody says otherwise."""


class FixedCharge(Strict, frozen=True, kw_only=True):
    """What a period costs whatever is used; `quantity` is how many (seats) unless a subscription says otherwise."""

    name: Name
    display_name: Annotated[str, Meta(max_length=100)] = ""
    prices: dict[Currency, Price]
    quantity: Annotated[int, Meta(ge=0, le=1_000_000)] = 1
    in_arrears: bool = False


class AddOn(Named, frozen=True, kw_only=True):
    """What a subscription can have beside its plan: each period if it is `recurring`, else once."""

    prices: dict[Currency, Price]
    recurring: bool = True

    def __post_init__(self) -> None:
        check_amounts(f"the add-on {self.id}", self.prices)


class Coupon(Named, frozen=True, kw_only=True):
    """Takes a percentage or an amount off the invoices of a subscription: of the next one, of so many `periods`, or of
    all. With `plans` only off theirs.
    """

    percent: Percent | None = None
    amounts: dict[Currency, Price] = {}
    duration: Literal["once", "periods", "forever"] = "once"
    periods: Annotated[int, Meta(ge=1, le=120)] = 1
    plans: tuple[Name, ...] = ()

    def __post_init__(self) -> None:
        what = f"the coupon {self.id}"
        if (self.percent is None) != bool(self.amounts):
            raise ValueError(f"{what} takes off a percent or amounts: one of the two")
        if self.periods != 1 and self.duration != "periods":
            raise ValueError(f"{what} says how many periods, which only the duration periods has")
        if self.amounts:
            check_amounts(what, self.amounts)


class Tax(Named, frozen=True, kw_only=True):
    """A percentage on top of what is sold, or within it (`inclusive`), for tenants of these countries and states (none:
    of all)."""

    percent: Percent
    inclusive: bool = False
    countries: tuple[Annotated[str, Meta(pattern=r"^[A-Z]{2}$")], ...] = ()
    states: tuple[Annotated[str, Meta(min_length=1, max_length=40)], ...] = ()


def check_currencies(what: str, prices: Mapping[str, T]) -> Mapping[str, T]:
    """The same prices, if there are any, and in currencies that there are.

    :raises CurrencyUnknown, PriceMissing: otherwise.
    """
    if not prices:
        raise PriceMissing(f"{what} has no price in any currency", field="prices")
    for currency in prices:
        try:
            minor_digits(currency)
        except CurrencyUnknown as error:
            raise CurrencyUnknown(f"{what}: {error}", field="currency") from None
    return prices


def check_amounts(what: str, prices: Mapping[str, str]) -> None:
    """Amounts that are billed as they stand have no more places than their currency.

    >>> check_amounts("the add-on x", {"JPY": "9.5"})
    Traceback (most recent call last):
    veloflux.errors.PriceInvalid: the add-on x costs 9.5 JPY, a currency with 0 decimal places

    :raises PriceInvalid, CurrencyUnknown, PriceMissing: otherwise.
    """
    for currency, price in check_currencies(what, prices).items():
        if Decimal(price).scaleb(digits := minor_digits(currency), EXACT) % 1:
            raise PriceInvalid(
                f"{what} costs {price} {currency}, a currency with {digits} decimal places", field="prices"
            )


def once(what: str, names: Iterable[str]) -> None:
    """:raises ValueError: two of the names are the same."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{what} called {name}")
        seen.add(name)


def _check_model(what: str, model: Model, of: UsageCharge | UsagePrice) -> None:
    for field, plain in PLAIN.items():
        if field not in PRICED_BY[model] and getattr(of, field, plain) != plain:
            raise PriceInvalid(f"{what} has {field}, which the model {model} does not know", field=field)
    if "tiers" in PRICED_BY[model] and isinstance(of, UsagePrice) and not of.tiers:
        raise PriceInvalid(f"{what} has no tiers, which the model {model} needs", field="tiers")


def _check_bounds(what: str, currency: str, price: UsagePrice) -> None:
    least, most = price.minimum, price.maximum
    for bound in (least, most):
        if bound is not None:
            check_amounts(what, {currency: bound})
    if least is not None and most is not None and Decimal(least) > Decimal(most):
        raise PriceInvalid(f"{what} has a minimum above its maximum in {currency}", field="minimum")


def _check_tiers(what: str, tiers: tuple[Tier, ...]) -> None:
    ends = [Decimal(tier.up_to) for tier in tiers[:-1] if tier.up_to is not None]
    if len(ends) < len(tiers) - 1:
        raise PriceInvalid(f"{what} has tiers after one without up_to, which they overlap", field="tiers")
    if tiers and tiers[-1].up_to is not None:
        raise PriceInvalid(
            f"{what} has no price beyond {tiers[-1].up_to}: leave up_to out of the last tier", field="tiers"
        )
    for before, end in zip([Decimal(0), *ends], ends, strict=False):
        if end <= before:
            raise PriceInvalid(f"{what} has a tier up to {end} that overlaps the one up to {before}", field="tiers")
