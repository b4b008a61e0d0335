"""Routes of the fiscal documents of invoices (NFS-e)."""

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import Parameter
from msgspec import Meta

from veloflux.billing.fiscal import files as fiscal_files
from veloflux.billing.fiscal import requests as fiscal_requests
from veloflux.billing.fiscal.model import FiscalDocument
from veloflux.billing.fiscal.requests import REASON_MAX, REASON_MIN
from veloflux.context import Context
from veloflux.tenants.api import TenantPath

FISCAL = "/api/tenants/{tenant:str}/invoices/{invoice:str}/fiscal"
InvoicePath = Annotated[str, Parameter(description="Id of an invoice", max_length=64)]


class CancelFiscal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: Annotated[
        str,
        Meta(
            min_length=REASON_MIN,
            max_length=REASON_MAX,
            description="As the tax authority is told it",
            examples=["Emitida em duplicidade"],
        ),
    ]


@get(
    FISCAL,
    operation_id="fiscal.show",
    permission="billing:read",
    summary="Show an invoice's fiscal document",
    tags=["fiscal documents"],
)
async def show(ctx: Context, tenant: TenantPath, invoice: InvoicePath) -> FiscalDocument:
    """Its state, its number and code, or why it is not issued and when that is tried next."""
    return await fiscal_requests.read_fiscal(ctx, invoice)


@get(
    FISCAL + "/pdf",
    operation_id="fiscal.pdf",
    permission="billing:read",
    summary="Read a fiscal document as PDF",
    tags=["fiscal documents"],
    media_type="application/pdf",
)
async def pdf(ctx: Context, tenant: TenantPath, invoice: InvoicePath) -> Response[bytes]:
    """From the provider, which may be away."""
    return _file(await fiscal_files.read_pdf(ctx, invoice), invoice, "pdf")


@get(
    FISCAL + "/xml",
    operation_id="fiscal.xml",
    permission="billing:read",
    summary="Read a fiscal document as XML",
    tags=["fiscal documents"],
    media_type="application/xml",
)
async def xml(ctx: Context, tenant: TenantPath, invoice: InvoicePath) -> Response[bytes]:
    """As the city signed it."""
    return _file(await fiscal_files.read_xml(ctx, invoice), invoice, "xml")


@post(
    FISCAL + "/retry",
    operation_id="fiscal.retry",
    permission="billing:write",
    summary="Try a rejected or failed fiscal document again",
    tags=["fiscal documents"],
    status_code=200,
)
async def retry(ctx: Context, tenant: TenantPath, invoice: InvoicePath) -> FiscalDocument:
    """Made out to the tenant as its record has it now: correct that first."""
    return await fiscal_requests.retry(ctx, invoice)


@post(
    FISCAL + "/cancel",
    operation_id="fiscal.cancel",
    permission="billing:write",
    summary="Have a fiscal document cancelled",
    tags=["fiscal documents"],
    status_code=200,
)
async def cancel(ctx: Context, tenant: TenantPath, invoice: InvoicePath, data: CancelFiscal) -> FiscalDocument:
    """Cities refuse it after a term; the invoice stays as it is."""
    return await fiscal_requests.cancel(ctx, invoice, data.reason)


def _file(content: bytes, invoice: str, form: str) -> Response[bytes]:
    saved_as = f'attachment; filename="nfse-{invoice}.{form}"'
    return Response(content, media_type=f"application/{form}", headers={"content-disposition": saved_as})


ROUTES = (show, pdf, xml, retry, cancel)
