"""`veloflux audit`: who changed what."""

from typing import Annotated

import typer

from veloflux.audit.trail import list_trail
from veloflux.kit import page
from veloflux.terminal import Json, TenantOption, run, show

app = typer.Typer(no_args_is_help=True)


@app.callback()
def group() -> None:
    """Who changed what."""


@app.command("list")
def list_(
    terminal: typer.Context,
    *,
    tenant: TenantOption,
    name: Annotated[str, typer.Option(help="Only events of this name, like api_key.created")] = "",
    actor: Annotated[str, typer.Option(help="Only what this actor did")] = "",
    cursor: Annotated[str, typer.Option(help="Go on where an earlier page ended")] = "",
    limit: Annotated[int, typer.Option(min=1, max=page.LIMIT_MAX)] = page.LIMIT,
    json: Json = False,
) -> None:
    """List a tenant's trail, newest first."""
    found = run(
        terminal,
        lambda ctx: list_trail(ctx, name=name, actor=actor, cursor=cursor, limit=limit),
        tenant=tenant,
    )
    show(
        found if json else found.items,
        json=json,
        columns=("at", "actor", "impersonator", "name", "data", "address", "request"),
    )
