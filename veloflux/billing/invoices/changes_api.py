"""Routes of what becomes of an invoice: it is paid, credited, given up, or does not hold."""

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import HeaderParameter, Parameter

from veloflux.billing.invoices import credit_note, withheld
from veloflux.billing.invoices.credit_note import CreditWanted
from veloflux.billing.invoices.shown import CreditNoteShown, shown_credit_note
from veloflux.billing.invoices.void import void
from veloflux.billing.invoices.withheld import ProofGiven
from veloflux.billing.invoices.write_off import write_off
from veloflux.billing.model import Payment
from veloflux.billing.payments import pay
from veloflux.billing.payments.pay import Amount, Pay
from veloflux.billing.payments.standing import InvoiceStanding
from veloflux.billing.subscriptions import items
from veloflux.billing.subscriptions.items import ItemsInvoice
from veloflux.billing.wallet import credit as wallet
from veloflux.context import Context
from veloflux.kit import page
from veloflux.kit.page import Page
from veloflux.tenants.api import Limit, TenantPath

INVOICES = "/api/tenants/{tenant:str}/invoices"
INVOICE = INVOICES + "/{invoice:str}"
InvoicePath = Annotated[str, Parameter(description="Id of an invoice", max_length=64)]
Key = Annotated[
    str,
    HeaderParameter(
        name="Idempotency-Key",
        description="The same key again gives the invoice that the first request made",
        max_length=200,
    ),
]


class WalletShare(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much the wallet pays; nothing: all it can."""

    amount: Amount | None = None


@post(
    INVOICES,
    operation_id="invoices.create",
    permission="billing:write",
    summary="Invoice one-off items",
    tags=["invoices"],
)
async def create(ctx: Context, tenant: TenantPath, data: ItemsInvoice, idempotency_key: Key = "") -> InvoiceStanding:
    """At once; without a currency, in the tenant's."""
    return InvoiceStanding.of(await items.invoice_items(ctx, data, idempotency_key))


@post(
    INVOICE + "/payments",
    operation_id="invoices.pay",
    permission="billing:write",
    summary="Note a payment of an invoice",
    tags=["invoices"],
)
async def pay_(ctx: Context, tenant: TenantPath, invoice: InvoicePath, data: Pay) -> Payment:
    """In part or whole; what is beyond it goes to the wallet. The same id again is the same payment."""
    return await pay.pay(ctx, invoice, data)


@post(
    INVOICE + "/apply-wallet",
    operation_id="invoices.apply_wallet",
    permission="billing:write",
    summary="Let the wallet pay an invoice",
    tags=["invoices"],
    status_code=200,
)
async def apply_wallet(ctx: Context, tenant: TenantPath, invoice: InvoicePath, data: WalletShare) -> InvoiceStanding:
    return InvoiceStanding.of(await wallet.apply(ctx, invoice, data.amount))


@post(
    INVOICE + "/credit-notes",
    operation_id="invoices.credit",
    permission="billing:write",
    summary="Credit an invoice",
    tags=["invoices"],
)
async def credit(ctx: Context, tenant: TenantPath, invoice: InvoicePath, data: CreditWanted) -> CreditNoteShown:
    """So much of its lines, or all that is left. What is still to be paid is settled first; the rest goes to the
    wallet, or back to the tenant."""
    return shown_credit_note(await credit_note.credit_invoice(ctx, invoice, data))


@post(
    INVOICE + "/void",
    operation_id="invoices.void",
    permission="billing:write",
    summary="Void an invoice",
    tags=["invoices"],
    status_code=200,
)
async def void_(ctx: Context, tenant: TenantPath, invoice: InvoicePath) -> InvoiceStanding:
    """As if it had not been issued; its number stays used. Where something was paid, credit it instead."""
    return InvoiceStanding.of(await void(ctx, invoice))


@post(
    INVOICE + "/write-off",
    operation_id="invoices.write_off",
    permission="billing:write",
    summary="Give up an invoice",
    tags=["invoices"],
    status_code=200,
)
async def write_off_(ctx: Context, tenant: TenantPath, invoice: InvoicePath) -> InvoiceStanding:
    """What is left of it is a bad debt; it can still be paid."""
    return InvoiceStanding.of(await write_off(ctx, invoice))


@post(
    INVOICE + "/withheld",
    operation_id="invoices.prove_withheld",
    permission="billing:write",
    summary="Note the proof of what was withheld",
    tags=["invoices"],
    status_code=200,
)
async def prove(ctx: Context, tenant: TenantPath, invoice: InvoicePath, data: ProofGiven) -> InvoiceStanding:
    """That the tenant paid the state what it withheld of the invoice; the same proof counts once."""
    return InvoiceStanding.of(await withheld.prove(ctx, invoice, data))


@get(
    "/api/tenants/{tenant:str}/withheld",
    operation_id="invoices.withheld",
    permission="billing:read",
    summary="List what waits for proof that it was withheld",
    tags=["invoices"],
)
async def unproven(
    ctx: Context, tenant: TenantPath, cursor: str = "", limit: Limit = page.LIMIT
) -> Page[InvoiceStanding]:
    """Invoices of which the tenant withheld tax and has not proven that it paid it, the newest first."""
    found = await withheld.unproven(ctx, cursor, limit)
    return Page([InvoiceStanding.of(one) for one in found.items], found.next)


ROUTES = (create, pay_, apply_wallet, credit, void_, write_off_, prove, unproven)
