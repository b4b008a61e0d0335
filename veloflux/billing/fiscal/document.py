"""What an invoice declares to the tax authority, and what becomes of its fiscal document by an answer. Pure."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from msgspec.structs import replace

from veloflux.billing.arithmetic.lines import Line
from veloflux.billing.fiscal.model import FiscalDocument
from veloflux.billing.model import Invoice
from veloflux.billing.states import FISCAL, move
from veloflux.events import (
    Event,
    FiscalCancellationRefused,
    FiscalDocumentCancelled,
    FiscalDocumentFailed,
    FiscalDocumentIssued,
    FiscalDocumentPending,
    FiscalDocumentRejected,
)
from veloflux.kit.clock import DAY_MS, HOUR_MS, MINUTE_MS
from veloflux.kit.fiscal import Accepted, Answer, Cancelled, Declaration, Party, Processing, Rejected, Share
from veloflux.kit.period import day_of

PAUSES_MS = (
    MINUTE_MS,
    5 * MINUTE_MS,
    15 * MINUTE_MS,
    HOUR_MS,
    4 * HOUR_MS,
    12 * HOUR_MS,
    DAY_MS,
    DAY_MS,
    DAY_MS,
)
"""Before the provider is asked again; after the last one it is given up."""
DESCRIPTION_MAX = 1_000


class Silent(NamedTuple):
    """The provider did not answer, and why."""

    reason: str


MOVES: Mapping[tuple[str, type], str] = MappingProxyType(
    {
        ("waiting", Accepted): "issue",
        ("waiting", Rejected): "reject",
        ("waiting", Processing): "process",
        ("waiting", Cancelled): "confirm",
        ("waiting", Silent): "wait",
        ("processing", Accepted): "issue",
        ("processing", Rejected): "reject",
        ("processing", Processing): "wait",
        ("processing", Cancelled): "confirm",
        ("processing", Silent): "wait",
        ("processing", type(None)): "lose",
        ("cancelling", Accepted): "find",
        ("cancelling", Rejected): "refuse",
        ("cancelling", Processing): "wait",
        ("cancelling", Cancelled): "confirm",
        ("cancelling", Silent): "wait",
        ("cancelling", type(None)): "confirm",
    }
)
"""By what the document is and what was answered."""


def declaration(invoice: Invoice, seller: Party, buyer: Party, services: Mapping[str, str]) -> Declaration:
    """What is declared of a final invoice; `services` has the code of the service of each plan.

    Its day is that on which the invoice was issued, where the tenant is.
    """
    assert invoice.totals
    assert invoice.issued_at is not None
    taxes = [Share(tax.name, tax.percent, tax.base, tax.amount) for tax in invoice.totals.taxes]
    withheld = [Share(one.name, one.percent, one.base, one.amount) for one in invoice.totals.withheld]
    return Declaration(
        seller=seller,
        buyer=buyer,
        service=service_of(invoice.lines, services),
        description=described(invoice.number, invoice.lines),
        competence=day_of(invoice.issued_at, invoice.zone).isoformat(),
        issued_at=invoice.issued_at,
        currency=invoice.currency,
        gross=invoice.totals.total,
        taxes=tuple(taxes),
        withheld=tuple(withheld),
    )


def service_of(lines: Iterable[Line], services: Mapping[str, str]) -> str:
    """The one code that a document can have: that of the plans whose lines come to most; "" where none has one.

    >>> lines = [Line("fixed", "Pro", 2999, plan="pro"), Line("fixed", "GB", 9000, plan="gb"), Line("item", "Aid", 1)]
    >>> service_of(lines, {"pro": "1.05", "gb": "1.03"})
    '1.03'
    """
    sums: dict[str, int] = {}
    for line in lines:
        if code := services.get(line.plan, ""):
            sums[code] = sums.get(code, 0) + line.net
    return max(sums, key=lambda code: sums[code], default="")


def described(number: str, lines: Iterable[Line]) -> str:
    """What was sold, in a thousand characters at most.

    >>> described("INV-000042", [Line("fixed", "Pro", 2999), Line("usage", "GB", 5), Line("usage", "GB", 7)])
    'INV-000042: Pro, GB'
    """
    names = dict.fromkeys(line.name for line in lines if line.name)
    return f"{number}: {', '.join(names)}"[:DESCRIPTION_MAX]


def followed(document: FiscalDocument, answer: Answer | Silent | None, at: int) -> tuple[FiscalDocument, Event]:
    """What an answer, or none, makes of a document that waits for one, and what happened; `at` in epoch ms.

    >>> waiting = FiscalDocument(id="nfe_1", invoice="inv_1", created_at=0)
    >>> issued, _ = followed(waiting, Accepted("7", "A1"), 5)
    >>> issued.status, issued.number, issued.next_at
    ('issued', '7', None)
    >>> delayed, _ = followed(waiting, Silent("It is away"), 5)
    >>> delayed.status, delayed.attempts, delayed.next_at
    ('waiting', 1, 60005)
    """
    name = MOVES[document.status, type(answer)]
    if name in ("wait", "lose") and document.attempts == len(PAUSES_MS):
        name = "give_up"
    status = move(FISCAL, document.status, name)
    moved = replace(document, status=status, attempts=0, next_at=None, reason="", reason_code="")
    match answer:
        case Accepted(number, verification) | Cancelled(number, verification):
            moved = replace(moved, number=number, verification=verification)
        case Rejected(code, reason):
            moved = replace(moved, reason=reason, reason_code=code)
        case Silent(reason):
            moved = replace(moved, reason=reason)
        case Processing() if name == "give_up":
            moved = replace(moved, reason="The provider goes on processing it")
    timed = _timed(name, document, moved, at)
    return timed, _event(name, timed)


def _timed(name: str, before: FiscalDocument, after: FiscalDocument, at: int) -> FiscalDocument:
    match name:
        case "wait" | "lose":
            return replace(after, attempts=before.attempts + 1, next_at=at + PAUSES_MS[before.attempts])
        case "process":
            return replace(after, attempts=1, next_at=at + PAUSES_MS[0])
        case "find":
            return replace(after, next_at=at, issued_at=at)
        case "issue":
            return replace(after, issued_at=at)
        case "confirm":
            return replace(after, cancelled_at=at)
    return after


def _event(name: str, after: FiscalDocument) -> Event:
    match name:
        case "issue":
            return FiscalDocumentIssued(invoice=after.invoice, number=after.number)
        case "reject":
            return FiscalDocumentRejected(invoice=after.invoice, code=after.reason_code)
        case "refuse":
            return FiscalCancellationRefused(invoice=after.invoice, code=after.reason_code)
        case "confirm":
            return FiscalDocumentCancelled(invoice=after.invoice)
        case "give_up":
            return FiscalDocumentFailed(invoice=after.invoice)
    return FiscalDocumentPending(invoice=after.invoice, status=after.status, attempts=after.attempts)
