"""How far a subscription's running period is with its alerts and spend caps. Pure.

Alerts look at the cost after discounts and before taxes, fixed charges and all; caps at what usage costs before both.
"""

import math
from collections.abc import Iterator
from decimal import Decimal

from msgspec.structs import replace

from veloflux.billing.arithmetic.usage_lines import Priced
from veloflux.billing.model import Spend, SpendState
from veloflux.billing.spend.cap import quantity_within
from veloflux.billing.spend.cost import Reading, amounts, forecast_of, method_of
from veloflux.billing.spend.period_cost import priced
from veloflux.plans.prices import UsageCharge

TOTAL = ""
"""Instead of a meter: all of them."""


def judged(spend: Spend, before: SpendState, read: Reading) -> SpendState:
    """What is reached by now: alerts stay so until the period ends, a cap refuses as long as it is reached."""
    kept = before if before.period_start == read.sub.period_start else SpendState(id=before.id, period_start=0)
    so_far = amounts(read.basis, read.lines).before_tax
    later = amounts(read.basis, forecast_of(read).lines).before_tax if method_of(read) == "linear" else so_far
    return replace(
        before,
        period_start=read.sub.period_start,
        reached=tuple(one for one in spend.alerts if one <= so_far or one in kept.reached),
        foreseen=tuple(one for one in spend.alerts if one <= later or one in kept.foreseen),
        acting=tuple(acting(spend, read)),
    )


def acting(spend: Spend, read: Reading) -> Iterator[str]:
    """The caps that leave nothing to use: by their meters, `TOTAL` that of all."""
    if spend.cap is not None and usage_cost(read) >= spend.cap:
        yield TOTAL
    for meter, cap in sorted(spend.meter_caps.items()):
        within = allowed(read, meter, cap)
        if within is not None and _used(read, meter) >= within:
            yield meter


def allowed(read: Reading, meter: str, cap: int) -> int | None:
    """How much of a meter may be used in the phase that runs, in 10^-places units; None: there is no bound."""
    found = _charge(read, len(read.phases) - 1, meter)
    if found is None:
        return None
    earlier = sum(_cost(read, number, meter) for number in range(len(read.phases) - 1))
    within = quantity_within(*found, cap - earlier, read.used[-1])
    return None if within is None else max(within, 0)


def usage_cost(read: Reading) -> int:
    """What the usage of the period costs so far, in minor units."""
    return sum(_cost(read, number, meter) for number in range(len(read.phases)) for meter in read.meters)


def capped_meters(read: Reading) -> list[str]:
    """What a cap of all usage refuses: whatever counts for a price in the phase that runs."""
    last = read.phases[-1]
    return [] if last.free else sorted(read.basis.offer(last.selection, read.sub.currency).plan.meters)


def _cost(read: Reading, number: int, meter: str) -> int:
    found = _charge(read, number, meter)
    return found[0].total(found[1], read.used[number]) if found else 0


def _charge(read: Reading, number: int, meter: str) -> tuple[Priced, UsageCharge] | None:
    """What a phase charges for a meter; nothing in a trial."""
    of = priced(read.basis, read.sub, read.phases[number], read.meters)
    charge = next((one for one in of.offer.plan.usage if one.meter == meter), None)
    return None if charge is None or of.phase.free else (of, charge)


def _used(read: Reading, meter: str) -> int:
    return units(read, meter, read.used[-1].get(meter, Decimal(0)))


def units(read: Reading, meter: str, used: Decimal) -> int:
    """A quantity in 10^-places units, of which part of one counts whole."""
    return math.ceil(used.scaleb(read.meters[meter].places))
