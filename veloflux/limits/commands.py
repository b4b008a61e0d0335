"""`veloflux check`: may this pass?"""

from typing import Annotated

import typer

from veloflux.limits.check import check
from veloflux.limits.model import Question
from veloflux.terminal import Json, TenantOption, run, say, show


def check_command(
    terminal: typer.Context,
    meter: Annotated[str, typer.Argument(help="Name of a meter")],
    *,
    tenant: TenantOption,
    cost: Annotated[int, typer.Option(help="Units to use")] = 1,
    id_: Annotated[str, typer.Option("--id", help="Counts once; repeat safely")] = "",
    json: Json = False,
) -> None:
    """Ask whether a request may pass, and count it; exit code 1 when it may not."""
    asked = Question(meter=meter, cost=cost, id=id_)
    decision = run(terminal, lambda ctx: check(ctx.parts, ctx.tenant, asked), tenant=tenant)
    show(decision, json=json, columns=("allowed", "limit", "used", "remaining", "reset_at"))
    if not decision.allowed:
        say(f"{decision.refused_by} is reached; repeat in {decision.retry_after} s")
        raise typer.Exit(1)
