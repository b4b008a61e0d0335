"""How much of a meter may be used so that its price stays within a cap: the inverse of rating. Pure.

Within a tier a price never falls with the quantity, so bisection finds where it passes the cap. From one tier to the
next it may fall, where a tier prices all units (`volume`); the first tier in which the cap is passed decides.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from veloflux.billing.arithmetic.rating import free_in
from veloflux.billing.arithmetic.usage_lines import Priced
from veloflux.plans.prices import UsageCharge

MOST = 10**18
"""What a counter can hold."""


def largest(price: Callable[[int], int], cap: int, ends: Iterable[int] = ()) -> int | None:
    """The largest quantity that costs no more than the cap, as all smaller ones do; None: there is no such bound.

    `price` never falls but just after one of the `ends`. Where nothing used costs more already, it is -1.

    >>> largest(lambda quantity: 3 * quantity, 10), largest(lambda quantity: 5, 4), largest(lambda quantity: 5, 5)
    (3, -1, None)
    """
    if price(0) > cap:
        return -1
    low = 0
    for end in sorted({MOST, *(one for one in ends if 0 < one < MOST)}):
        if price(end) > cap:
            return _bisected(price, cap, low, end)
        low = end
    return None


def quantity_within(priced: Priced, charge: UsageCharge, cap: int, used: Mapping[str, Decimal]) -> int | None:
    """How much may be used of a charge's meter in a phase, in 10^-places units, so that it costs no more than `cap`
    minor units; None: any quantity, -1: nothing. Fees are those of what was `used` of their meter.

    >>> from veloflux.billing.arithmetic.cycle import Offer
    >>> from veloflux.billing.model import Phase, Selection
    >>> from veloflux.plans.catalogue import Plan
    >>> from veloflux.plans.prices import UsagePrice
    >>> charge = UsageCharge(meter="gb", included="200", prices={"USD": UsagePrice(unit="0.10")})
    >>> offer = Offer(Plan(id="pro", name="Pro", usage=(charge,)), {}, {}, "USD")
    >>> priced = Priced(offer, Phase(start=0, end=1, selection=Selection(plan="pro", plan_version=1)), {})
    >>> quantity_within(priced, charge, 500, {})
    250
    """
    places = priced.places(charge)
    free = free_in(charge.included, priced.phase.share, places)
    tiers = charge.prices[priced.offer.currency].tiers
    ends = [int((free + Decimal(tier.up_to)).scaleb(places)) for tier in tiers if tier.up_to is not None]

    def price(quantity: int) -> int:
        return priced.total(charge, {**used, charge.meter: Decimal(quantity).scaleb(-places)})

    return largest(price, cap, ends)


def _bisected(price: Callable[[int], int], cap: int, low: int, high: int) -> int:
    """`low` costs no more than the cap, `high` does."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if price(middle) > cap else (middle, high)
    return low
