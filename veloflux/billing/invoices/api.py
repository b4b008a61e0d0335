"""Routes of invoices and credit notes: what a tenant sees of them."""

from typing import Annotated

from litestar import Response, get, post
from litestar.params import Parameter

from veloflux.billing.invoices import reading as invoices
from veloflux.billing.invoices.mail import Sending, resend_invoice
from veloflux.billing.invoices.shown import CreditNoteShown, InvoiceShown
from veloflux.billing.printing.printed import Printed, printed
from veloflux.context import Context
from veloflux.kit import page
from veloflux.kit.page import Page
from veloflux.tenants.api import Limit, TenantPath

INVOICES = "/api/tenants/{tenant:str}/invoices"
INVOICE = INVOICES + "/{invoice:str}"
CREDIT_NOTES = "/api/tenants/{tenant:str}/credit-notes"
CREDIT_NOTE = CREDIT_NOTES + "/{credit_note:str}"
PDF = "application/pdf"
InvoicePath = Annotated[str, Parameter(description="Id of an invoice", max_length=64)]
CreditNotePath = Annotated[str, Parameter(description="Id of a credit note", max_length=64)]


@get(
    INVOICES,
    operation_id="invoices.list",
    permission="billing:read",
    summary="List a tenant's invoices",
    tags=["invoices"],
)
async def list_(ctx: Context, tenant: TenantPath, cursor: str = "", limit: Limit = page.LIMIT) -> Page[InvoiceShown]:
    """The newest first; drafts too, which have no number and no totals yet."""
    return await invoices.list_invoices(ctx, cursor, limit)


@get(
    INVOICE,
    operation_id="invoices.show",
    permission="billing:read",
    summary="Show an invoice",
    tags=["invoices"],
)
async def show(ctx: Context, tenant: TenantPath, invoice: InvoicePath) -> InvoiceShown:
    """`page` is the address of its page, which whoever pays can open without signing in."""
    return await invoices.read_invoice(ctx, invoice)


@get(
    INVOICE + "/pdf",
    operation_id="invoices.pdf",
    permission="billing:read",
    summary="Download an invoice as a PDF",
    tags=["invoices"],
    media_type=PDF,
)
async def pdf(ctx: Context, tenant: TenantPath, invoice: InvoicePath) -> Response[bytes]:
    """In the invoice's language; it has one as soon as it has its number."""
    return download(await printed(await invoices.render_invoice(ctx, invoice)))


@post(
    INVOICE + "/send",
    operation_id="invoices.send",
    permission="billing:write",
    summary="Send an invoice again",
    tags=["invoices"],
    status_code=200,
)
async def send(ctx: Context, tenant: TenantPath, invoice: InvoicePath) -> Sending:
    """To the tenant's billing e-mail, with the PDF and the link to its page; a tenant without that e-mail gets none."""
    return await resend_invoice(ctx, invoice)


@get(
    CREDIT_NOTES,
    operation_id="credit_notes.list",
    permission="billing:read",
    summary="List a tenant's credit notes",
    tags=["invoices"],
)
async def list_credit_notes(
    ctx: Context, tenant: TenantPath, cursor: str = "", limit: Limit = page.LIMIT
) -> Page[CreditNoteShown]:
    """The newest first. In a credit note, what is given back is positive."""
    return await invoices.list_credit_notes(ctx, cursor, limit)


@get(
    CREDIT_NOTE,
    operation_id="credit_notes.show",
    permission="billing:read",
    summary="Show a credit note",
    tags=["invoices"],
)
async def show_credit_note(ctx: Context, tenant: TenantPath, credit_note: CreditNotePath) -> CreditNoteShown:
    return await invoices.read_credit_note(ctx, credit_note)


@get(
    CREDIT_NOTE + "/pdf",
    operation_id="credit_notes.pdf",
    permission="billing:read",
    summary="Download a credit note as a PDF",
    tags=["invoices"],
    media_type=PDF,
)
async def credit_note_pdf(ctx: Context, tenant: TenantPath, credit_note: CreditNotePath) -> Response[bytes]:
    """In the language of its invoice."""
    return download(await printed(await invoices.render_credit_note(ctx, credit_note)))


def download(file: Printed) -> Response[bytes]:
    """A PDF that a browser saves under its name."""
    named = {"content-disposition": f'attachment; filename="{file.name}"'}
    return Response(file.content, media_type=PDF, headers=named)


ROUTES = (list_, show, pdf, send, list_credit_notes, show_credit_note, credit_note_pdf)
