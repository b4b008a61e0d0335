"""`veloflux outbox`: the messages written for people."""

from typing import Annotated

import typer

from veloflux.kit import page
from veloflux.notifications.outbox import list_messages, read_message
from veloflux.terminal import Json, run, show

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_(
    terminal: typer.Context,
    cursor: Annotated[str, typer.Option(help="Go on where an earlier page ended")] = "",
    limit: Annotated[int, typer.Option(min=1, max=page.LIMIT_MAX)] = page.LIMIT,
    json: Json = False,
) -> None:
    """List the messages in the outbox folder, latest first."""
    found = run(terminal, lambda ctx: list_messages(ctx, cursor, limit))
    show(found if json else found.items, json=json, columns=("id", "at", "to", "subject"))


@app.command("show")
def show_(terminal: typer.Context, message: str, json: Json = False) -> None:
    """Show a message."""
    found = run(terminal, lambda ctx: read_message(ctx, message))
    if json:
        show(found, json=True)
    else:
        typer.echo(f"To: {found.to}\nSubject: {found.subject}\n\n{found.text}", nl=False)
