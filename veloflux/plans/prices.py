"""What a plan costs: its charges, and the currencies, tiers and models of their prices; add-ons, coupons and taxes.

Prices are texts in major units of a currency, so that nothing is lost on the way: `29.99`, a unit price with up to 12
places. Quantities are in the unit of the meter.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]
Price = Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,12})?$")]
Quantity = Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,9})?$")]
Percent = Annotated[str, Meta(pattern=r"^(100|[0-9]{1,2}(\.[0-9]{1,6})?)$")]
Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=60)]
Words = Annotated[str, Meta(min_length=1, max_length=100)]
Interval = Literal["week", "month", "quarter", "year"]
Timing = Literal["now", "next_invoice", "period_end"]
Model = Literal["per_unit", "graduated", "volume", "package", "percentage"]


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is written by hand or compared by its text."""


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


class FixedCharge(Strict, frozen=True, kw_only=True):
    """What a period costs whatever is used; `quantity` is how many (seats) unless a subscription says otherwise."""

    name: Name
    display_name: Annotated[str, Meta(max_length=100)] = ""
    prices: dict[Currency, Price]
    quantity: Annotated[int, Meta(ge=0, le=1_000_000)] = 1
    in_arrears: bool = False


class AddOn(Strict, frozen=True, kw_only=True):
    """What a subscription can have beside its plan: each period if it is `recurring`, else once."""

    id: Name
    name: Words
    prices: dict[Currency, Price]
    recurring: bool = True


class Coupon(Strict, frozen=True, kw_only=True):
    """Takes a percentage or an amount off the invoices of a subscription: of the next one, of so many `periods`, or of
    all. With `plans` only off theirs.
    """

    id: Name
    name: Words
    percent: Percent | None = None
    amounts: dict[Currency, Price] = {}
    duration: Literal["once", "periods", "forever"] = "once"
    periods: Annotated[int, Meta(ge=1, le=120)] = 1
    plans: tuple[Name, ...] = ()


class Tax(Strict, frozen=True, kw_only=True):
    """A percentage on top of what is sold, or within it (`inclusive`), for tenants of these countries and states (none:
    of all)."""

    id: Name
    name: Words
    percent: Percent
    inclusive: bool = False
    countries: tuple[Annotated[str, Meta(pattern=r"^[A-Z]{2}$")], ...] = ()
    states: tuple[Annotated[str, Meta(min_length=1, max_length=40)], ...] = ()
