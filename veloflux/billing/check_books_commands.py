"""`veloflux ledger check`: the proof of ledgers against their documents."""

from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from veloflux.billing.documents_say import documents_say
from veloflux.context import Context
from veloflux.ledger.check import Checked, check_documents, every_check, together
from veloflux.terminal import Json, err, run, say, show


def check(
    terminal: typer.Context,
    tenant: Annotated[str, typer.Option("--tenant", help="Slug or id of a tenant; none: all")] = "",
    json: Json = False,
) -> None:
    """Prove that postings balance, that balances are their sums, and that documents say the same; exit code 1 when
    something is wrong."""
    found = run(terminal, _one, tenant=tenant) if tenant else run(terminal, _all)
    if json or found.wrong:
        show(found if json else found.wrong, json=json, columns=("tenant", "place", "problem"))
    say(f"Tenants: {found.tenants:,}. Postings: {found.postings:,}. Figures that are wrong: {found.drift:,}")
    if found.drift:
        raise typer.Exit(1)


async def _one(ctx: Context) -> Checked:
    return await check_documents(ctx.db, ctx.tenant, documents_say)


async def _all(ctx: Context) -> Checked:
    bar = Progress(SpinnerColumn(), TextColumn("{task.completed:,} tenants"), console=err, transient=True)
    found = []
    with bar:
        task = bar.add_task("", total=None)
        async for each in every_check(ctx, documents_say):
            found.append(each)
            bar.advance(task)
    return together(found)
