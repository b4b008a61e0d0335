"""`veloflux tokens`."""

from typing import Annotated

import typer

from veloflux import tenants
from veloflux.kit import page
from veloflux.kit.page import Page
from veloflux.tenants.commands import Cursor, Limit
from veloflux.tenants.shown import TokenCreated, TokenShown
from veloflux.tenants.tokens import LIFE_MAX_S, LIFE_S
from veloflux.terminal import Json, TenantOption, run, say, show

app = typer.Typer(no_args_is_help=True)

TOKEN = ("id", "permissions", "subject", "made_by", "created_at", "expires_at")


@app.command("create")
def create_token(
    terminal: typer.Context,
    *,
    tenant: TenantOption,
    permission: Annotated[list[str], typer.Option(help="What it may do; repeatable")],
    lifetime_s: Annotated[int, typer.Option(min=1, max=LIFE_MAX_S, help="Seconds")] = LIFE_S,
    subject: Annotated[str, typer.Option(help="Whom it is made for, in the tenant's own words")] = "",
    json: Json = False,
) -> None:
    """Create a short-lived token for a tenant's own front end; it is shown this once."""
    new = run(
        terminal,
        lambda ctx: tenants.create_token(ctx, permission, lifetime_s=lifetime_s, subject=subject),
        tenant=tenant,
    )
    if json:
        show(TokenCreated.of(new), json=True)
    else:
        say("It is not shown again")
        typer.echo(new.token)


@app.command("list")
def list_tokens(
    terminal: typer.Context, tenant: TenantOption, cursor: Cursor = "", limit: Limit = page.LIMIT, json: Json = False
) -> None:
    """List a tenant's tokens that are not over."""
    found = run(terminal, lambda ctx: tenants.list_tokens(ctx, cursor, limit), tenant=tenant)
    shown = Page([TokenShown.of(token) for token in found.items], found.next)
    show(shown if json else shown.items, json=json, columns=TOKEN)


@app.command("revoke")
def revoke_token(terminal: typer.Context, token: str, *, tenant: TenantOption) -> None:
    """Refuse a token from now on, by its id."""
    run(terminal, lambda ctx: tenants.revoke_token(ctx, token), tenant=tenant)
    say("This token is refused from now on")
