"""A document that waits for its number among all of the operator's gets it."""

from msgspec.structs import replace

from veloflux import tenants
from veloflux.billing import agenda, store
from veloflux.billing.agenda import Item
from veloflux.billing.fiscal import requests as fiscal_requests
from veloflux.billing.invoices.numbers import operators_number
from veloflux.billing.model import CreditNote, Invoice
from veloflux.billing.payments.provider import payment_provider
from veloflux.billing.states import INVOICE, move
from veloflux.context import Context
from veloflux.db import commit, keys
from veloflux.events import InvoiceNumbered, InvoicePaid
from veloflux.kit import ids
from veloflux.transaction import Transaction


async def assign_number(ctx: Context, item: Item) -> None:
    """What is due as soon as such a document is there; asking again gives the same number."""
    tx = Transaction(ctx, ctx.tenant)
    agenda.take(tx, item.kind, item.subject)
    if ids.is_id(item.subject, "inv"):
        await _number_invoice(ctx, tx, await store.invoice(ctx, item.subject))
    else:
        await _number_credit_note(ctx, tx, await store.credit_note(ctx, item.subject))
    if tx.leaves_trail:
        await tx.commit()
    else:
        await commit.run(ctx.db, tx)


async def _number_invoice(ctx: Context, tx: Transaction, invoice: Invoice) -> None:
    if invoice.status != "awaiting_number":
        return
    number = await operators_number(ctx, "invoice", invoice.id)
    status = move(INVOICE, invoice.status, "number")
    opened = replace(invoice, status=status, number=number)
    if opened.due and payment_provider(ctx, await tenants.find(ctx, ctx.tenant)):
        agenda.put(ctx, tx, Item("collect", invoice.id, max(invoice.due_at or 0, ctx.now())))
    elif not opened.due:
        opened = replace(opened, status=move(INVOICE, status, "pay"), settled_at=ctx.now())
        tx.event(InvoicePaid(invoice=invoice.id))
    tx.change(keys.invoice(ctx.tenant, invoice.id), invoice, opened)
    tx.event(InvoiceNumbered(invoice=invoice.id, number=number))
    fiscal_requests.ask(ctx, tx, (await tenants.read_record(ctx)).country, opened)


async def _number_credit_note(ctx: Context, tx: Transaction, note: CreditNote) -> None:
    if note.number:
        return
    number = await operators_number(ctx, "credit_note", note.id)
    tx.change(keys.credit_note(ctx.tenant, note.id), note, replace(note, number=number))
    tx.event(InvoiceNumbered(invoice=note.id, number=number))
