"""How a plan is billed: its intervals, charges and what becomes of changes."""

from collections.abc import Collection, Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from veloflux.errors import PriceMissing
from veloflux.plans.prices import Currency, FixedCharge, Named, Price, UsageCharge, check_amounts, once

Interval = Literal["week", "month", "quarter", "year"]
Timing = Literal["now", "next_invoice", "period_end"]
TRIAL_DAYS_MAX = 730


class Terms(Named, frozen=True, kw_only=True):
    """A plan is billed every `interval_count` intervals: fixed charges in advance, usage in arrears.

    `upgrade` and `downgrade` say when a change to a dearer or a cheaper plan holds. `calendar`: periods begin on
    Mondays, or on the first of a month, quarter or year. `service` is the code of what is sold, for withholding and
    fiscal documents. `version` counts the changes of all this; a subscription stays on the one that it began with.
    """

    interval: Interval = "month"
    interval_count: Annotated[int, Meta(ge=1, le=52)] = 1
    trial_days: Annotated[int, Meta(ge=0, le=TRIAL_DAYS_MAX)] = 0
    setup_fee: dict[Currency, Price] = msgspec.field(default_factory=dict)
    fixed: tuple[FixedCharge, ...] = ()
    usage: tuple[UsageCharge, ...] = ()
    upgrade: Timing = "now"
    downgrade: Timing = "period_end"
    calendar: bool = False
    service: Annotated[str, Meta(max_length=20)] = ""
    version: Annotated[int, Meta(ge=1)] = 1

    def __post_init__(self) -> None:
        where = f"the plan {self.id}"
        once(f"{where} has two fixed charges", (charge.name for charge in self.fixed))
        once(f"{where} has two charges for a meter", (charge.meter for charge in self.usage))
        for fixed in self.fixed:
            check_amounts(f"{where} in its charge {fixed.name}", fixed.prices)
        for usage in self.usage:
            usage.check(where)
        if self.setup_fee:
            check_amounts(f"{where} in its set-up fee", self.setup_fee)
        _check_same_currencies(where, self._currencies())

    def _currencies(self) -> Mapping[str, Collection[str]]:
        """Those in which each of its charges has a price."""
        fixed = {f"its charge {charge.name}": list(charge.prices) for charge in self.fixed}
        usage = {f"its charge for {charge.meter}": list(charge.prices) for charge in self.usage}
        return fixed | usage | ({"its set-up fee": list(self.setup_fee)} if self.setup_fee else {})

    @property
    def meters(self) -> set[str]:
        """The names of the meters that it prices."""
        return {name for charge in self.usage for name in (charge.meter, charge.fees_meter) if name}


def currencies_of(plan: Terms) -> tuple[str, ...]:
    """Those in which a plan can be subscribed to; none if it has no prices."""
    prices: list[Mapping[str, object]] = [charge.prices for charge in plan.fixed]
    prices += [charge.prices for charge in plan.usage]
    return tuple(prices[0]) if prices else ()


TERMS = tuple(field for field in Terms.__struct_fields__ if field not in ("id", "name", "version"))
"""Another value of one of these makes a plan's next version."""


def _check_same_currencies(where: str, priced: Mapping[str, Collection[str]]) -> None:
    every = {currency for currencies in priced.values() for currency in currencies}
    for what, currencies in priced.items():
        if missing := sorted(every - set(currencies)):
            raise PriceMissing(f"{where} has no price in {', '.join(missing)} for {what}", field="prices")
