"""`veloflux ledger`: the postings of a tenant, its trial balance, and the proof that all of it is right."""

from typing import Annotated

import msgspec
import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from veloflux.context import Context
from veloflux.kit import page
from veloflux.ledger.check import Checked, check_ledger, every_check, together
from veloflux.ledger.entries import shown
from veloflux.ledger.trial_balance import list_postings, read_trial_balances
from veloflux.terminal import Json, TenantOption, err, run, say, show

app = typer.Typer(no_args_is_help=True)


class PostingLine(msgspec.Struct, frozen=True):
    """A posting as a line of a table."""

    at: int
    id: str
    kind: str
    document: str
    entries: str


class BalanceLine(msgspec.Struct, frozen=True):
    """A row of a trial balance as a line of a table, in minor units."""

    currency: str
    account: str
    debit: int
    credit: int


@app.command()
def check(
    terminal: typer.Context,
    tenant: Annotated[str, typer.Option("--tenant", help="Slug or id of a tenant; none: all")] = "",
    json: Json = False,
) -> None:
    """Prove that postings are balanced and balances are their sums; exit code 1 when something is wrong."""
    found = (
        run(terminal, lambda ctx: check_ledger(ctx.db, ctx.tenant), tenant=tenant) if tenant else run(terminal, _all)
    )
    if json or found.wrong:
        show(found if json else found.wrong, json=json, columns=("tenant", "place", "problem"))
    say(f"{found.tenants:,} tenants, {found.postings:,} postings, {found.drift:,} figures wrong")
    if found.drift:
        raise typer.Exit(1)


@app.command()
def balances(
    terminal: typer.Context,
    tenant: TenantOption,
    through: Annotated[str, typer.Option(help="Last day that counts, like 2026-11-22, in the tenant's zone")] = "",
    json: Json = False,
) -> None:
    """Show the trial balance of a tenant, in minor units."""
    found = run(terminal, lambda ctx: read_trial_balances(ctx, through), tenant=tenant)
    lines = [BalanceLine(each.currency, row.account, row.debit, row.credit) for each in found for row in each.rows] + [
        BalanceLine(each.currency, "total", each.debit, each.credit) for each in found
    ]
    show(found if json else lines, json=json, columns=BalanceLine.__struct_fields__)


@app.command()
def postings(
    terminal: typer.Context,
    tenant: TenantOption,
    cursor: Annotated[str, typer.Option(help="Of the next page, as the page before says")] = "",
    limit: Annotated[int, typer.Option(min=1, max=page.LIMIT_MAX)] = page.LIMIT,
    json: Json = False,
) -> None:
    """List the postings of a tenant, the newest first, in minor units: debits positive, credits negative."""
    found = run(terminal, lambda ctx: list_postings(ctx, cursor, limit), tenant=tenant)
    lines = [PostingLine(each.at, each.id, each.kind, each.document, shown(each)) for each in found.items]
    show(found if json else lines, json=json, columns=PostingLine.__struct_fields__)
    if found.next and not json:
        say(f"More: --cursor {found.next}")


async def _all(ctx: Context) -> Checked:
    bar = Progress(SpinnerColumn(), TextColumn("{task.completed:,} tenants"), console=err, transient=True)
    found = []
    with bar:
        task = bar.add_task("", total=None)
        async for each in every_check(ctx):
            found.append(each)
            bar.advance(task)
    return together(found)
