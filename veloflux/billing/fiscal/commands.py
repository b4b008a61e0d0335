"""`veloflux invoices fiscal`: the fiscal documents of invoices (NFS-e)."""

from typing import Annotated

import typer

from veloflux.billing.fiscal import files as fiscal_files
from veloflux.billing.fiscal import requests as fiscal_requests
from veloflux.terminal import Json, TenantOption, run, show

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("invoice", "status", "number", "verification", "attempts", "next_at", "reason")


@app.command("show")
def show_(terminal: typer.Context, invoice: str, tenant: TenantOption, json: Json = False) -> None:
    """Show the state and number of an invoice's fiscal document."""
    found = run(terminal, lambda ctx: fiscal_requests.read_fiscal(ctx, invoice), tenant=tenant)
    show(found, json=json, columns=COLUMNS)


@app.command()
def pdf(terminal: typer.Context, invoice: str, tenant: TenantOption) -> None:
    """Print a fiscal document as PDF: `... > nfse.pdf`."""
    _print(run(terminal, lambda ctx: fiscal_files.read_pdf(ctx, invoice), tenant=tenant))


@app.command()
def xml(terminal: typer.Context, invoice: str, tenant: TenantOption) -> None:
    """Print a fiscal document as XML, as the city signed it."""
    _print(run(terminal, lambda ctx: fiscal_files.read_xml(ctx, invoice), tenant=tenant))


@app.command()
def retry(terminal: typer.Context, invoice: str, tenant: TenantOption, json: Json = False) -> None:
    """Try a rejected or failed one again, made out to the tenant as its record has it now."""
    found = run(terminal, lambda ctx: fiscal_requests.retry(ctx, invoice), tenant=tenant)
    show(found, json=json, columns=COLUMNS)


@app.command()
def cancel(
    terminal: typer.Context,
    invoice: str,
    *,
    tenant: TenantOption,
    reason: Annotated[str, typer.Option(help="As the tax authority is told it, in 15 to 255 characters")],
    json: Json = False,
) -> None:
    """Have a fiscal document cancelled; the invoice stays as it is."""
    found = run(terminal, lambda ctx: fiscal_requests.cancel(ctx, invoice, reason), tenant=tenant)
    show(found, json=json, columns=COLUMNS)


def _print(content: bytes) -> None:
    typer.echo(content, nl=False)
