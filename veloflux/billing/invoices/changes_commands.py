"""`veloflux invoices`: what becomes of an invoice."""

from typing import Annotated

import typer

from veloflux.billing.invoices import commands as invoice_commands
from veloflux.billing.invoices.credit_note import CreditWanted, credit_invoice
from veloflux.billing.invoices.void import void as void_invoice
from veloflux.billing.invoices.withheld import ProofGiven, prove, unproven
from veloflux.billing.invoices.write_off import write_off as write_off_invoice
from veloflux.billing.payments.pay import Pay
from veloflux.billing.payments.pay import pay as pay_invoice
from veloflux.billing.payments.standing import InvoiceStanding
from veloflux.billing.subscriptions.items import ItemsInvoice, invoice_items
from veloflux.billing.wallet.credit import apply
from veloflux.kit import page
from veloflux.terminal import Json, TenantOption, parsed, run, say, show

app = invoice_commands.app
COLUMNS = InvoiceStanding.__struct_fields__
NOTE = ("id", "number", "invoice", "currency", "settles", "withheld", "to_wallet", "reason")
PAYMENT = ("id", "invoice", "amount", "currency", "settled", "to_wallet", "provider", "fee", "reference", "created_at")
Provider = Annotated[str, typer.Option(help="Who has the money")]
Reference = Annotated[str, typer.Option(help="The provider's own name of it")]


@app.command()
def create(
    terminal: typer.Context,
    item: Annotated[list[str], typer.Option(help="Like 250.00=Training, the price in major units; can be repeated")],
    *,
    tenant: TenantOption,
    currency: Annotated[str, typer.Option(help="ISO 4217; else the tenant's")] = "",
    json: Json = False,
) -> None:
    """Invoice one-off items at once."""
    items = [{"price": price, "name": name} for price, _, name in (text.partition("=") for text in item)]
    wanted = parsed(ItemsInvoice, items=items, currency=currency or None)
    made = run(terminal, lambda ctx: invoice_items(ctx, wanted), tenant=tenant)
    show(InvoiceStanding.of(made), json=json, columns=COLUMNS)


@app.command()
def pay(
    terminal: typer.Context,
    invoice: str,
    amount: Annotated[int, typer.Argument(help="Minor units that came")],
    *,
    tenant: TenantOption,
    currency: Annotated[str, typer.Option(help="ISO 4217; else the invoice's")] = "",
    settles: Annotated[int | None, typer.Option(help="What it counts in the invoice's currency")] = None,
    fee: Annotated[int, typer.Option(help="Minor units that the provider keeps")] = 0,
    provider: Provider = "bank",
    reference: Reference = "",
    once: Annotated[str, typer.Option("--id", help="The same id again is the same payment")] = "",
    json: Json = False,
) -> None:
    """Note a payment, in part or whole; what is beyond it goes to the wallet."""
    values = {"provider": provider, "reference": reference, "id": once, "fee": fee}
    wanted = parsed(Pay, amount=amount, currency=currency or None, settles=settles, **values)
    show(run(terminal, lambda ctx: pay_invoice(ctx, invoice, wanted), tenant=tenant), json=json, columns=PAYMENT)


@app.command()
def apply_wallet(
    terminal: typer.Context,
    invoice: str,
    *,
    tenant: TenantOption,
    amount: Annotated[int | None, typer.Option(help="Minor units; else all it can")] = None,
    json: Json = False,
) -> None:
    """Let the wallet pay an open invoice."""
    found = run(terminal, lambda ctx: apply(ctx, invoice, amount), tenant=tenant)
    show(InvoiceStanding.of(found), json=json, columns=COLUMNS)


@app.command()
def credit(
    terminal: typer.Context,
    invoice: str,
    *,
    tenant: TenantOption,
    line: Annotated[
        list[str] | None, typer.Option(help="Like 0=1500: minor units of a line, the first is 0; else all that is left")
    ] = None,
    reason: Annotated[str, typer.Option(help="What for")] = "",
    refunded_by: Annotated[str, typer.Option(help="The provider by which what was paid goes back")] = "",
    reference: Reference = "",
    once: Annotated[str, typer.Option("--id", help="The same id again is the same credit note")] = "",
    json: Json = False,
) -> None:
    """Take back so much of an invoice's lines, or all of it."""
    lines = [{"line": place, "amount": amount} for place, _, amount in (text.partition("=") for text in line or ())]
    values = {"reason": reason, "refunded_by": refunded_by or None, "reference": reference, "id": once}
    wanted = parsed(CreditWanted, lines=lines, **values)
    show(run(terminal, lambda ctx: credit_invoice(ctx, invoice, wanted), tenant=tenant), json=json, columns=NOTE)


@app.command()
def void(terminal: typer.Context, invoice: str, tenant: TenantOption, json: Json = False) -> None:
    """Void an invoice, as if it had not been issued."""
    found = run(terminal, lambda ctx: void_invoice(ctx, invoice), tenant=tenant)
    show(InvoiceStanding.of(found), json=json, columns=COLUMNS)


@app.command()
def write_off(terminal: typer.Context, invoice: str, tenant: TenantOption, json: Json = False) -> None:
    """Give up what is left of an invoice."""
    found = run(terminal, lambda ctx: write_off_invoice(ctx, invoice), tenant=tenant)
    show(InvoiceStanding.of(found), json=json, columns=COLUMNS)


@app.command()
def prove_withheld(
    terminal: typer.Context,
    invoice: str,
    document: Annotated[str, typer.Argument(help="Its number, of a DARF or DAM say")],
    paid_on: Annotated[str, typer.Argument(help="Like 2026-11-20")],
    amount: Annotated[int, typer.Argument(help="Minor units")],
    *,
    tenant: TenantOption,
    json: Json = False,
) -> None:
    """Note the proof that a tenant paid what it withheld of an invoice."""
    given = parsed(ProofGiven, document=document, date=paid_on, amount=amount)
    found = run(terminal, lambda ctx: prove(ctx, invoice, given), tenant=tenant)
    show(InvoiceStanding.of(found), json=json, columns=COLUMNS)


@app.command()
def withheld(
    terminal: typer.Context,
    *,
    tenant: TenantOption,
    cursor: Annotated[str, typer.Option(help="Of the next page, as the page before says")] = "",
    json: Json = False,
) -> None:
    """List the invoices of which something was withheld that is not proven, the newest first."""
    found = run(terminal, lambda ctx: unproven(ctx, cursor, page.LIMIT), tenant=tenant)
    show([InvoiceStanding.of(one) for one in found.items], json=json, columns=COLUMNS)
    if found.next and not json:
        say(f"More: --cursor {found.next}")
