"""`veloflux usage export`."""

import sys
from typing import Annotated

import typer

from veloflux.context import Context
from veloflux.exports.formats import Format
from veloflux.exports.usage import export_usage
from veloflux.terminal import TenantOption, run


def export(
    terminal: typer.Context,
    tenant: TenantOption,
    form: Annotated[Format, typer.Option("--format", help="csv or json")] = "csv",
) -> None:
    """Print the usage of each day: the same bytes as the API's export."""

    async def write(ctx: Context) -> None:
        async for piece in export_usage(ctx, form):
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()

    run(terminal, write, tenant=tenant)
