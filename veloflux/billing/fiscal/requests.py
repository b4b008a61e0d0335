"""A fiscal document is asked for, tried again, or to be cancelled: by billing in its own commits, and by people."""

from msgspec.structs import replace

from veloflux.billing import agenda, store
from veloflux.billing.agenda import Item
from veloflux.billing.fiscal.model import FiscalDocument
from veloflux.billing.model import Invoice
from veloflux.billing.states import FISCAL, move, possible
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import InputInvalid, NotFound
from veloflux.events import FiscalCancellationRequested, FiscalDocumentRequested
from veloflux.kit import ids
from veloflux.transaction import Transaction, decide

KIND = "fiscal"
"""Of the item on the agenda; its subject is the invoice."""
BRAZIL = "BR"
REASON_MIN, REASON_MAX = 15, 255
"""Characters of the reason for a cancellation, as the national system asks for."""
VOIDED, CREDITED = "Fatura anulada pelo prestador", "Fatura creditada por inteiro ao tomador"
"""Why billing has a document cancelled, in the words for the tax authority."""


def ask(ctx: Context, tx: Transaction, country: str, invoice: Invoice) -> None:
    """Part of the commit of a final invoice. Nothing, unless it has its number and asks for money, the tenant is in
    Brazil, and there is a provider."""
    sold = invoice.number and invoice.totals and invoice.totals.total
    if ctx.parts.fiscal is None or country != BRAZIL or not sold:
        return
    document = FiscalDocument(
        id=ids.derived("fis", invoice.id), invoice=invoice.id, next_at=ctx.now(), created_at=ctx.now()
    )
    tx.create(keys.fiscal(ctx.tenant, invoice.id), document)
    agenda.put(ctx, tx, Item(KIND, invoice.id, ctx.now()))
    tx.event(FiscalDocumentRequested(invoice=invoice.id))


async def withdraw(ctx: Context, tx: Transaction, invoice: str, reason: str) -> None:
    """Part of the commit that voids an invoice, or credits all that was left of it."""
    document = await store.find_fiscal(ctx.db, ctx.tenant, invoice)
    if document and "cancel" in possible(FISCAL, document.status):
        _put_cancellation(ctx, tx, document, reason)


async def read_fiscal(ctx: Context, invoice: str) -> FiscalDocument:
    """:raises NotFound: the tenant has no such invoice, or it has no fiscal document."""
    document = await store.find_fiscal(ctx.db, ctx.tenant, invoice)
    if document is None:
        raise NotFound(f"There is no fiscal document of an invoice {invoice[:60]!r}")
    return document


async def retry(ctx: Context, invoice: str) -> FiscalDocument:
    """Try again what was rejected or failed, made out to the tenant as its record has it now; or its cancellation.

    :raises NotFound: see `read_fiscal`. :raises MoveImpossible: it was neither rejected nor has it failed.
    """
    return await decide(lambda: _retry(ctx, invoice))


async def cancel(ctx: Context, invoice: str, reason: str) -> FiscalDocument:
    """Have a fiscal document cancelled, for a reason of 15 to 255 characters; its invoice stays as it is.

    :raises InputInvalid: the reason is too short or too long. :raises NotFound: see `read_fiscal`.
    :raises MoveImpossible: it is cancelled already, or is to be.
    """
    if not REASON_MIN <= len(reason) <= REASON_MAX:
        raise InputInvalid(f"The reason must have {REASON_MIN} to {REASON_MAX} characters", field="reason")
    return await decide(lambda: _cancel(ctx, invoice, reason))


async def _retry(ctx: Context, invoice: str) -> FiscalDocument:
    document = await read_fiscal(ctx, invoice)
    tx = Transaction(ctx, ctx.tenant)
    if document.status == "failed" and document.cancel_reason:
        after = _put_cancellation(ctx, tx, document, document.cancel_reason)
    else:
        status = move(FISCAL, document.status, "retry")
        after = _put(ctx, tx, document, replace(document, status=status, from_record=True))
        tx.event(FiscalDocumentRequested(invoice=invoice))
    await tx.commit()
    return after


async def _cancel(ctx: Context, invoice: str, reason: str) -> FiscalDocument:
    document = await read_fiscal(ctx, invoice)
    tx = Transaction(ctx, ctx.tenant)
    after = _put_cancellation(ctx, tx, document, reason)
    await tx.commit()
    return after


def _put_cancellation(ctx: Context, tx: Transaction, document: FiscalDocument, reason: str) -> FiscalDocument:
    status = move(FISCAL, document.status, "cancel")
    tx.event(FiscalCancellationRequested(invoice=document.invoice))
    return _put(ctx, tx, document, replace(document, status=status, cancel_reason=reason))


def _put(ctx: Context, tx: Transaction, before: FiscalDocument, wanted: FiscalDocument) -> FiscalDocument:
    """What is to be asked next is asked now."""
    agenda.put(ctx, tx, Item(KIND, before.invoice, ctx.now()))
    after = replace(wanted, attempts=0, reason="", reason_code="", next_at=ctx.now())
    return tx.change(keys.fiscal(ctx.tenant, before.invoice), before, after)
