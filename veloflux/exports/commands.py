"""`veloflux usage export` and `veloflux ledger export`."""

import sys
from collections.abc import AsyncIterator, Callable
from typing import Annotated

import typer

from veloflux.context import Context
from veloflux.exports.formats import Format
from veloflux.exports.ledger import Books, export_balances, export_postings
from veloflux.exports.usage import export_usage
from veloflux.terminal import TenantOption, run

FormatOption = Annotated[Format, typer.Option("--format", help="csv or json")]


def export(terminal: typer.Context, tenant: TenantOption, form: FormatOption = "csv") -> None:
    """Print the usage of each day: the same bytes as the API's export."""
    _print(terminal, tenant, lambda ctx: export_usage(ctx, form))


def export_ledger(
    terminal: typer.Context,
    tenant: TenantOption,
    form: FormatOption = "csv",
    what: Annotated[Books, typer.Option(help="Every entry of every posting, or the trial balance")] = "postings",
) -> None:
    """Print the ledger: the same bytes as the API's export."""

    async def document(ctx: Context) -> AsyncIterator[bytes]:
        pieces = export_postings(ctx, form) if what == "postings" else await export_balances(ctx, form)
        async for piece in pieces:
            yield piece

    _print(terminal, tenant, document)


def _print(terminal: typer.Context, tenant: str, document: Callable[[Context], AsyncIterator[bytes]]) -> None:
    async def write(ctx: Context) -> None:
        async for piece in document(ctx):
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()

    run(terminal, write, tenant=tenant)
