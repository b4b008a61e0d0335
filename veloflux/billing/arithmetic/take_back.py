"""What was paid in advance for the running period, and is taken back: a later change credits it no more. Pure."""

from collections.abc import Mapping

from msgspec.structs import replace

from veloflux.billing.model import Charged, Invoice, Subscription

CHARGES = ("fixed", "add_on", "debit")


def uncharged(sub: Subscription, invoice: Invoice, credited: Mapping[int, int]) -> Subscription:
    """A subscription after so much of lines of an invoice was taken back, by their places; minor units."""
    amounts: dict[tuple[str, int], int] = {}
    for place, amount in credited.items():
        line = invoice.lines[place]
        if line.kind in CHARGES:
            amounts[line.name, line.start] = amounts.get((line.name, line.start), 0) + amount
    return replace(sub, charged=tuple(_less(one, amounts.get((one.label, one.start), 0)) for one in sub.charged))


def _less(one: Charged, amount: int) -> Charged:
    return replace(one, credited=min(one.credited + amount, one.amount)) if amount else one
