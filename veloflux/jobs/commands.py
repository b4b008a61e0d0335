"""`veloflux jobs`: look at work that waits or died, and send the dead back to work."""

from typing import Annotated

import typer

from veloflux import jobs
from veloflux.context import Context
from veloflux.db.jobs import Job
from veloflux.terminal import Json, run, show

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("owner", "id", "kind", "state", "attempts", "run_at", "error")


@app.command("list")
def list_(
    terminal: typer.Context,
    waiting: Annotated[bool, typer.Option("--waiting", help="Those that wait, instead of the dead")] = False,
    owner: Annotated[str, typer.Option(help="Only this owner's, waiting and dead")] = "",
    json: Json = False,
) -> None:
    """List dead jobs, the latest first."""

    async def read(ctx: Context) -> list[Job]:
        if owner:
            return list((await jobs.of_owner(ctx, owner)).items)
        return await jobs.waiting(ctx) if waiting else list((await jobs.dead(ctx)).items)

    show(run(terminal, read), json=json, columns=COLUMNS)


@app.command()
def retry(terminal: typer.Context, owner: str, job: str, json: Json = False) -> None:
    """Let a dead job run again."""
    show(run(terminal, lambda ctx: jobs.retry(ctx, owner, job)), json=json, columns=COLUMNS)
