"""The phases of a running period: stretches with the same selection, and with the same prices of usage. Pure."""

from fractions import Fraction
from itertools import groupby

from msgspec.structs import replace

from veloflux.billing.arithmetic.periods import Period
from veloflux.billing.arithmetic.proration import fraction
from veloflux.billing.model import Phase


def ended(phases: tuple[Phase, ...], at: int, whole: Period, days_in: str) -> tuple[Phase, ...]:
    """The same, of which the last is over at a time; it says how much of the `whole` period it was."""
    last = phases[-1]
    part = Period(last.start, at)
    share = (1, 1) if part == whole else fraction(part, whole, days_in)
    return (*phases[:-1], replace(last, end=at, share=share))


def of_usage(phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
    """Ended phases as usage is priced by them: what changed but quantities and add-ons is one phase, so that a seat
    more neither begins tiers anew nor divides what is included.

    >>> from veloflux.billing.model import Selection
    >>> few, many = (Selection(plan="pro", plan_version=1, quantities={"seats": seats}) for seats in (1, 9))
    >>> first = Phase(start=0, end=5, selection=few, share=(1, 6))
    >>> second = Phase(start=5, end=20, selection=many, share=(3, 6))
    >>> [(phase.start, phase.end, phase.share) for phase in of_usage((first, second))]
    [(0, 20, (2, 3))]
    """
    alike = groupby(phases, key=lambda phase: (phase.selection.plan, phase.selection.plan_version, phase.free))
    return tuple(_joined(tuple(group)) for _, group in alike)


def _joined(phases: tuple[Phase, ...]) -> Phase:
    if len(phases) == 1:
        return phases[0]
    share = sum((Fraction(*phase.share) for phase in phases), Fraction())
    return replace(phases[-1], start=phases[0].start, share=share.as_integer_ratio())
