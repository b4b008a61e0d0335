"""What the usage of a phase costs, as lines; what came late, as the difference that it makes. Pure."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from msgspec.structs import replace

from veloflux.billing.arithmetic.cycle import Offer
from veloflux.billing.arithmetic.lines import Line, text
from veloflux.billing.arithmetic.rating import Rated, rate, rounded
from veloflux.billing.model import Phase
from veloflux.plans import Meter
from veloflux.plans.prices import UsageCharge

NOTHING = Decimal(0)
Used = Mapping[str, Decimal]
"""How much of each meter, in its unit."""


class Priced(NamedTuple):
    """A phase, what it was of, and the meters by their names."""

    offer: Offer
    phase: Phase
    meters: Mapping[str, Meter]

    def rated(self, charge: UsageCharge, used: Used) -> list[Rated]:
        """What a charge comes to."""
        quantity, fees = used.get(charge.meter, NOTHING), used.get(charge.fees_meter, NOTHING)
        return rate(charge, self.offer.currency, quantity, fees, share=self.phase.share, places=self.places(charge))

    def places(self, charge: UsageCharge) -> int:
        """The decimal places of what is charged for."""
        return self.meters[charge.meter].places if charge.meter in self.meters else 0

    def total(self, charge: UsageCharge, used: Used) -> int:
        """The same in minor units."""
        return sum(rounded(one, self.offer.currency) for one in self.rated(charge, used))

    def line(self, charge: UsageCharge) -> Line:
        """A line without an amount yet."""
        meter, phase = self.meters.get(charge.meter), self.phase
        name = (meter.display_name or meter.name) if meter else charge.meter
        assert phase.end is not None
        return Line("usage", name, 0, 0, phase.start, phase.end, self.offer.plan.id, charge.meter)


def usage_lines(priced: Priced, used: Used) -> list[Line]:
    """A line for each tier and part of the usage that costs something; in a trial, none."""
    if priced.phase.free:
        return []
    return [line for charge in priced.offer.plan.usage for line in _of_charge(priced, charge, used)]


def late_lines(priced: Priced, billed: Used, late: Used) -> list[Line]:
    """What usage that came after its invoice adds: for each charge, what all of it costs less what was billed."""
    if priced.phase.free:
        return []
    whole = {meter: billed.get(meter, NOTHING) + late.get(meter, NOTHING) for meter in {*billed, *late}}
    lines = []
    for charge in priced.offer.plan.usage:
        amount = priced.total(charge, whole) - priced.total(charge, billed)
        quantity = text(late.get(charge.meter, NOTHING))
        lines.append(replace(priced.line(charge), kind="adjustment", amount=amount, quantity=quantity))
    return [line for line in lines if line.amount]


def _of_charge(priced: Priced, charge: UsageCharge, used: Used) -> Iterator[Line]:
    for one in priced.rated(charge, used):
        if amount := rounded(one, priced.offer.currency):
            yield replace(
                priced.line(charge),
                kind="usage" if one.kind == "units" else one.kind,
                amount=amount,
                quantity=text(one.quantity),
                price=_price(one),
                tier=one.tier or 0,
            )


def _price(one: Rated) -> str:
    if one.unit is None:
        return ""
    return text(one.unit * 100 if one.kind == "percent" else one.unit)
