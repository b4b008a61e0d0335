"""`veloflux invoices`: what a tenant was billed."""

import sys
from typing import Annotated

import msgspec
import typer

from veloflux.billing.invoices import reading as invoices
from veloflux.billing.invoices.mail import resend_invoice
from veloflux.billing.invoices.shown import InvoiceShown
from veloflux.billing.printing.printed import Printed, printed
from veloflux.context import Context
from veloflux.kit import page
from veloflux.terminal import Json, TenantOption, run, say, show

app = typer.Typer(no_args_is_help=True)
LINES = ("kind", "name", "tier", "quantity", "price", "amount", "discount")


class Row(msgspec.Struct, frozen=True):
    """An invoice as a table shows it, in minor units."""

    id: str
    number: str
    status: str
    currency: str
    net: int | None
    due: int
    issued_at: int | None
    due_at: int | None


@app.command("list")
def list_(
    terminal: typer.Context,
    *,
    tenant: TenantOption,
    cursor: Annotated[str, typer.Option(help="Of the next page, as the page before says")] = "",
    limit: Annotated[int, typer.Option(min=1, max=page.LIMIT_MAX)] = page.LIMIT,
    json: Json = False,
) -> None:
    """List a tenant's invoices, the newest first, in minor units."""
    found = run(terminal, lambda ctx: invoices.list_invoices(ctx, cursor, limit), tenant=tenant)
    show(found if json else [_row(one) for one in found.items], json=json, columns=Row.__struct_fields__)
    if found.next and not json:
        say(f"More: --cursor {found.next}")


@app.command("show")
def show_(terminal: typer.Context, invoice: str, tenant: TenantOption, json: Json = False) -> None:
    """Show an invoice, line by line, in minor units."""
    found = run(terminal, lambda ctx: invoices.read_invoice(ctx, invoice), tenant=tenant)
    if json:
        show(found, json=True)
        return
    show([_row(found)], json=False, columns=Row.__struct_fields__)
    show(found.lines, json=False, columns=LINES)
    if found.page:
        say(f"Its page: {found.page}")


@app.command()
def pdf(terminal: typer.Context, invoice: str, tenant: TenantOption) -> None:
    """Print the PDF of an invoice: the same bytes as the API's, to be sent into a file."""

    if sys.stdout.isatty():
        raise typer.BadParameter("A PDF is no text; send it into a file: veloflux invoices pdf … > invoice.pdf")

    async def draw(ctx: Context) -> Printed:
        return await printed(await invoices.render_invoice(ctx, invoice))

    sys.stdout.buffer.write(run(terminal, draw, tenant=tenant).content)
    sys.stdout.buffer.flush()


@app.command()
def send(terminal: typer.Context, invoice: str, tenant: TenantOption, json: Json = False) -> None:
    """Send an invoice to the tenant's billing e-mail again."""
    found = run(terminal, lambda ctx: resend_invoice(ctx, invoice), tenant=tenant)
    if json:
        show(found, json=True)
    elif found.sent:
        say(f"It is on its way to {found.to}")
    else:
        say("The tenant has no billing e-mail; nothing was sent. Give it one with `veloflux tenants change-record`")


def _row(invoice: InvoiceShown) -> Row:
    net = invoice.totals.net if invoice.totals else None
    same = {name: getattr(invoice, name) for name in Row.__struct_fields__ if name != "net"}
    return Row(net=net, **same)
