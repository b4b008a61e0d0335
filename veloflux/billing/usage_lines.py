"""What the usage of a phase costs, as lines; what came late, as the difference that it makes. Pure."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from veloflux.billing.cycle import Offer
from veloflux.billing.lines import Kind, Line, text
from veloflux.billing.model import Phase
from veloflux.billing.rating import Rated, rate, rounded
from veloflux.plans import Meter
from veloflux.plans.prices import UsageCharge

Used = Mapping[str, Decimal]
"""How much of each meter, in its unit."""
NOTHING = Decimal(0)


def usage_lines(offer: Offer, phase: Phase, used: Used, meters: Mapping[str, Meter]) -> list[Line]:
    """A line for each tier and part of the usage that costs something; in a trial, none."""
    if phase.free:
        return []
    return [line for charge in offer.plan.usage for line in _of_charge(offer, charge, phase, used, meters)]


def late_lines(offer: Offer, phase: Phase, billed: Used, late: Used, meters: Mapping[str, Meter]) -> list[Line]:
    """What usage that came after its invoice makes of it: for each charge, what all of it costs less what was billed."""
    if phase.free:
        return []
    lines = []
    for charge in offer.plan.usage:
        if any(late.get(meter) for meter in (charge.meter, charge.fees_meter)):
            whole = {meter: billed.get(meter, NOTHING) + late.get(meter, NOTHING) for meter in {*billed, *late}}
            difference = _sum(offer, charge, phase, whole, meters) - _sum(offer, charge, phase, billed, meters)
            lines.append(_line(offer, charge, phase, meters, "adjustment", difference, late.get(charge.meter, NOTHING)))
    return [line for line in lines if line.amount]


def _of_charge(
    offer: Offer, charge: UsageCharge, phase: Phase, used: Used, meters: Mapping[str, Meter]
) -> Iterator[Line]:
    for rated in _rated(offer, charge, phase, used, meters):
        amount = rounded(rated, offer.currency)
        if amount:
            kind: Kind = "usage" if rated.kind == "units" else rated.kind
            yield _line(offer, charge, phase, meters, kind, amount, rated.quantity, rated)


def _rated(offer: Offer, charge: UsageCharge, phase: Phase, used: Used, meters: Mapping[str, Meter]) -> list[Rated]:
    quantity, fees = used.get(charge.meter, NOTHING), used.get(charge.fees_meter, NOTHING)
    places = meters[charge.meter].places if charge.meter in meters else 0
    return rate(charge, offer.currency, quantity, fees, phase.share, places)


def _sum(offer: Offer, charge: UsageCharge, phase: Phase, used: Used, meters: Mapping[str, Meter]) -> int:
    return sum(rounded(rated, offer.currency) for rated in _rated(offer, charge, phase, used, meters))


def _line(
    offer: Offer,
    charge: UsageCharge,
    phase: Phase,
    meters: Mapping[str, Meter],
    kind: Kind,
    amount: int,
    quantity: Decimal,
    rated: Rated | None = None,
) -> Line:
    assert phase.end is not None
    meter = meters.get(charge.meter)
    return Line(
        kind,
        meter.display_name or meter.name if meter else charge.meter,
        amount,
        0,
        phase.start,
        phase.end,
        offer.plan.id,
        charge.meter,
        text(quantity),
        "" if rated is None or rated.unit is None else text(rated.unit),
        0 if rated is None else rated.tier or 0,
    )
