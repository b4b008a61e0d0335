"""`veloflux reservations`: what is held now, and settling one by hand."""

from typing import Annotated

import typer

from veloflux.limits.api import whole
from veloflux.limits.leases import commit_by_hand, list_reservations, release_by_hand
from veloflux.terminal import Json, TenantOption, run, say, show

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("id", "meter", "cost", "until")
SETTLED = ("id", "status", "cost", "late")
EMPTY = (
    "Nothing is held. A reservation holds units for work whose size is known afterwards, until it is committed or "
    "released or its lease is over; POST /api/reservations makes one"
)

Id = Annotated[str, typer.Argument(help="As the list has it")]


@app.command("list")
def list_(
    terminal: typer.Context,
    *,
    tenant: TenantOption,
    meter: Annotated[str, typer.Option(help="Only of this meter")] = "",
    cursor: Annotated[str, typer.Option(help="Of the next page, as the page before says")] = "",
    json: Json = False,
) -> None:
    """List what a tenant's reservations hold now, what ends first at the head."""
    page = run(terminal, lambda ctx: list_reservations(ctx, meter, cursor), tenant=tenant)
    if json or page.items:
        show(page if json else page.items, json=json, columns=COLUMNS)
    else:
        say(EMPTY)
    if page.next and not json:
        say(f"More: --cursor {page.next}")


@app.command("commit")
def commit_(
    terminal: typer.Context,
    reservation: Id,
    cost: Annotated[float, typer.Argument(help="Units used, more or less than are held")],
    tenant: TenantOption,
    json: Json = False,
) -> None:
    """Count what was used of a reservation whose program cannot say so any more."""
    done = run(terminal, lambda ctx: commit_by_hand(ctx, reservation, whole(cost)), tenant=tenant)
    show(done, json=json, columns=SETTLED)


@app.command("release")
def release_(terminal: typer.Context, reservation: Id, tenant: TenantOption, json: Json = False) -> None:
    """Give back what a reservation holds; nothing is counted."""
    done = run(terminal, lambda ctx: release_by_hand(ctx, reservation), tenant=tenant)
    show(done, json=json, columns=SETTLED)
