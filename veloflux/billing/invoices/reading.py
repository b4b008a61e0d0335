"""What a tenant, and who pays for it, see of invoices and credit notes: their data and their texts."""

import asyncio

from veloflux import tenants
from veloflux.billing import store
from veloflux.billing.invoices import buyer
from veloflux.billing.invoices import link as invoice_link
from veloflux.billing.invoices.shown import CreditNoteShown, InvoiceShown, shown_credit_note, shown_invoice
from veloflux.billing.model import Invoice
from veloflux.billing.printing.parties import buyer_of, seller_of
from veloflux.billing.printing.rendered import Rendered, Sides, rendered_credit_note, rendered_invoice
from veloflux.context import Context
from veloflux.errors import Conflict, NotFound
from veloflux.kit import page
from veloflux.kit.page import Page


async def list_invoices(ctx: Context, cursor: str = "", limit: int = page.LIMIT) -> Page[InvoiceShown]:
    """A tenant's invoices, the newest first; drafts too.

    :raises CursorInvalid: the cursor is not one of ours.
    """
    found = await store.invoices(ctx.db, ctx.tenant, cursor, limit)
    return Page(await asyncio.gather(*(_shown(ctx, invoice) for invoice in found.items)), found.next)


async def read_invoice(ctx: Context, id_: str) -> InvoiceShown:
    """:raises NotFound: the tenant has no such invoice."""
    return await _shown(ctx, await store.invoice(ctx, id_))


async def list_credit_notes(ctx: Context, cursor: str = "", limit: int = page.LIMIT) -> Page[CreditNoteShown]:
    """A tenant's credit notes, the newest first.

    :raises CursorInvalid: the cursor is not one of ours.
    """
    found = await store.credit_notes(ctx.db, ctx.tenant, cursor, limit)
    return Page([shown_credit_note(note) for note in found.items], found.next)


async def credit_notes_of(ctx: Context, invoice: Invoice) -> list[CreditNoteShown]:
    """The credit notes on an invoice, the oldest first."""
    return await asyncio.gather(*(read_credit_note(ctx, id_) for id_ in invoice.credit_notes))


async def read_credit_note(ctx: Context, id_: str) -> CreditNoteShown:
    """:raises NotFound: the tenant has no such credit note."""
    return shown_credit_note(await store.credit_note(ctx, id_))


async def render_invoice(ctx: Context, id_: str) -> Rendered:
    """An invoice with all its texts.

    :raises NotFound: the tenant has no such invoice. :raises Conflict: it has no number yet.
    """
    invoice = await store.invoice(ctx, id_)
    _require_number(invoice.number)
    return rendered_invoice(invoice, await _sides(ctx, invoice))


async def render_credit_note(ctx: Context, id_: str) -> Rendered:
    """A credit note with all its texts, in the language of its invoice.

    :raises NotFound: the tenant has no such credit note. :raises Conflict: it has no number yet.
    """
    note = await store.credit_note(ctx, id_)
    _require_number(note.number)
    invoice = await store.invoice(ctx, note.invoice)
    return rendered_credit_note(note, invoice, await _sides(ctx, invoice))


async def open_link(ctx: Context, token: str) -> Rendered:
    """The invoice that a link is of, for whoever has the link.

    :raises NotFound: we made no such link, or its tenant is deleted.
    """
    owner, id_ = invoice_link.parse(ctx.parts.secrets, token)
    try:
        tenant = await tenants.find(ctx, owner)
        if tenant.status != "deleted":
            return await render_invoice(ctx.within(tenants.scope_of(tenant)), id_)
    except (NotFound, Conflict):
        pass
    raise invoice_link.nothing()


async def _shown(ctx: Context, invoice: Invoice) -> InvoiceShown:
    return shown_invoice(invoice, await buyer.opened(ctx, invoice), invoice_link.link_of(ctx, invoice))


async def _sides(ctx: Context, invoice: Invoice) -> Sides:
    opened = await buyer.opened(ctx, invoice)
    return Sides(seller_of(ctx.settings, invoice.language), buyer_of(opened, invoice.language))


def _require_number(number: str) -> None:
    if not number:
        raise Conflict("This document is not final yet; it can be read as a text once it has its number")
