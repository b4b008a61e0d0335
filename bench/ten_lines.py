"""A plan whose periods come to an invoice of ten lines: four fixed prices and the usage of six meters."""

import msgspec

from veloflux.plans import Catalogue, Meter, Plan, catalogue
from veloflux.plans.prices import FixedCharge, UsageCharge, UsagePrice

SUMS = ("bytes", "gigabytes", "predictions", "queries", "messages")
PLAN, DEARER = "ten_lines", "ten_dearer_lines"


def ten_lines() -> Catalogue:
    """The shipped catalogue with the plan, and with one that costs twice as much. An event counts for the first meter
    and has a property for each of the others, `SUMS`."""
    shipped = catalogue()
    counts = shipped.meters[0]
    sums = tuple(msgspec.structs.replace(counts, name=name, aggregation="sum", value_property=name) for name in SUMS)
    meters = (counts, *sums)
    plans = (_plan(PLAN, meters, "10.00", "0.015"), _plan(DEARER, meters, "20.00", "0.03"))
    return msgspec.structs.replace(shipped, meters=meters, plans=(*shipped.plans, *plans))


def _plan(id_: str, meters: tuple[Meter, ...], price: str, unit: str) -> Plan:
    fixed = tuple(FixedCharge(name=f"fixed_{at}", display_name=f"Fixed {at}", prices={"BRL": price}) for at in range(4))
    usage = tuple(UsageCharge(meter=meter.name, prices={"BRL": UsagePrice(unit=unit)}) for meter in meters)
    return Plan(id=id_, name=id_.replace("_", " "), fixed=fixed, usage=usage)
