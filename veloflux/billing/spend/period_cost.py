"""What the running period of a subscription costs, by what was used in each of its phases. Pure.

What is still to be invoiced is computed as the next invoice computes it, and what was paid in advance stands as it was
charged; where a price changed within the period, what was charged for the former one less what was credited is computed
anew. Fixed
charges count whole from the first moment on.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from msgspec.structs import replace

from veloflux.billing.arithmetic.cycle import charges, span_of
from veloflux.billing.arithmetic.lines import Kind, Line
from veloflux.billing.arithmetic.usage_lines import Priced, Used, usage_lines
from veloflux.billing.basis import Basis
from veloflux.billing.invoices.issue import composed
from veloflux.billing.model import Charged, Invoice, Phase, Subscription
from veloflux.billing.subscriptions.close_period import rolled
from veloflux.plans import Meter

ELSEWHERE = frozenset({"credit", "debit"})
"""Lines that wait, of a change of price: what they are of is among the fixed charges."""


def phases_of(basis: Basis, sub: Subscription) -> tuple[Phase, ...]:
    """The phases of the running period as they are at its end, if nothing changes any more."""
    return rolled(basis, sub).phases


def priced(basis: Basis, sub: Subscription, phase: Phase, meters: Mapping[str, Meter]) -> Priced:
    """What the usage of a phase is priced by."""
    return Priced(basis.offer(phase.selection, sub.currency), phase, meters)


def period_lines(
    basis: Basis, sub: Subscription, meters: Mapping[str, Meter], used: Sequence[Used]
) -> tuple[Line, ...]:
    """What the running period costs when so much of each meter was used in each of its phases, with discounts."""
    step = rolled(basis, sub)
    usage = chain.from_iterable(
        usage_lines(priced(basis, sub, phase, meters), of) for phase, of in zip(step.phases, used, strict=True)
    )
    invoice = Invoice(
        id="",
        reason="period",
        currency=sub.currency,
        period_start=sub.period_start,
        period_end=sub.period_end,
        lines=(*usage, *step.lines, *sub.waiting),
        final_at=sub.period_end,
        created_at=sub.period_end,
    )
    document, _ = composed(basis, invoice, sub)
    billed = document.lines[: len(invoice.lines)]
    return (
        *_paid(basis, sub),
        *(line for line in billed if line.start < sub.period_end and line.kind not in ELSEWHERE),
    )


def _paid(basis: Basis, sub: Subscription) -> Iterator[Line]:
    """What was paid in advance, after discounts."""
    span, offers = span_of(sub, basis.offer_of(sub), basis.calendar), basis.offers(sub)
    for phase in sub.phases[:-1]:
        for one in charges(offers(phase.selection), replace(sub, selection=phase.selection)):
            if not (phase.free or one.in_arrears or _covers(sub.charged, one.name, phase.start)):
                assert phase.end is not None
                used = span.portion(one.net, span.rest(phase.start)) - span.portion(one.net, span.rest(phase.end))
                yield Line(one.kind, one.label, used, 0, phase.start, phase.end, one.plan)
    for paid in sub.charged:
        kind: Kind = "add_on" if paid.name.startswith("add_on.") else "fixed"
        yield Line(kind, paid.label, paid.amount - paid.credited, 0, paid.start, sub.period_end, paid.plan)


def _covers(charged: Sequence[Charged], name: str, start: int) -> bool:
    return any(one.name == name and one.start <= start for one in charged)
