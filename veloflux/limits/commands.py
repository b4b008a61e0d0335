"""`veloflux check`: may this pass, or why not? `veloflux limits`: how each limit stands."""

from typing import Annotated

import msgspec
import typer

from veloflux.limits.check import check
from veloflux.limits.explain import Explanation, explain, read_limits
from veloflux.limits.model import Question
from veloflux.limits.near import list_near
from veloflux.terminal import Json, TenantOption, run, say, show

COLUMNS = ("name", "source", "limit", "used", "left", "refuses", "wait_s", "whole_at", "watched")
NEAR_COLUMNS = ("slug", "meter", "period", "percent", "used", "limit", "ends_at")


def check_command(
    terminal: typer.Context,
    meter: Annotated[str, typer.Argument(help="Name of a meter")],
    *,
    tenant: TenantOption,
    cost: Annotated[int, typer.Option(help="Units to use")] = 1,
    id_: Annotated[str, typer.Option("--id", help="Counts once; repeat safely")] = "",
    why: Annotated[
        bool, typer.Option("--explain", help="Say how each limit stands and what would help; count nothing")
    ] = False,
    key: Annotated[str, typer.Option(help="With --explain: id of the API key that would ask")] = "",
    address: Annotated[str, typer.Option(help="With --explain: the address that would ask")] = "",
    route: Annotated[str, typer.Option(help="What limits of a route are bound to")] = "",
    json: Json = False,
) -> None:
    """Ask whether a request may pass, and count it; exit code 1 when it may not."""
    asked = Question(meter=meter, cost=cost, id=id_, route=route)
    if why:
        asked = msgspec.structs.replace(asked, address=address)
        _tell(run(terminal, lambda ctx: explain(ctx, asked, key), tenant=tenant), json=json)
        return
    decision = run(terminal, lambda ctx: check(ctx.parts, ctx.tenant, asked), tenant=tenant)
    show(decision, json=json, columns=("allowed", "limit", "used", "remaining", "reset_at"))
    if not decision.allowed:
        say(f"{decision.refused_by} is reached; repeat in {decision.retry_after} s")
        raise typer.Exit(1)


def limits_command(terminal: typer.Context, tenant: TenantOption, json: Json = False) -> None:
    """Show how every limit and quota of a tenant stands now; nothing is counted."""
    found = run(terminal, read_limits, tenant=tenant)
    show(found if json else [limit for one in found for limit in one.limits], json=json, columns=COLUMNS)


def near_command(terminal: typer.Context, json: Json = False) -> None:
    """List the tenants that are near a limit, the highest share of a quota first."""
    show(run(terminal, list_near), json=json, columns=NEAR_COLUMNS)


def _tell(explanation: Explanation, *, json: bool) -> None:
    """Exit code 1 when it would be refused."""
    show(explanation if json else explanation.limits, json=json, columns=COLUMNS)
    if not explanation.allowed:
        say(f"{explanation.reason}. What would help: {', '.join(explanation.help)}")
        raise typer.Exit(1)
