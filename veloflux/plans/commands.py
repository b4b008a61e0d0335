"""`veloflux plans`."""

import msgspec
import typer

from veloflux.plans.catalogue import Plan
from veloflux.plans.store import read_catalogue
from veloflux.terminal import Json, run, show

app = typer.Typer(no_args_is_help=True)


class PlanLine(msgspec.Struct, frozen=True):
    """A plan as one line of a table."""

    id: str
    name: str
    quotas: str
    rates: str


@app.callback()
def plans() -> None:
    """The catalogue."""


@app.command("list")
def list_(terminal: typer.Context, json: Json = False) -> None:
    """List plans, and what each allows."""
    found = run(terminal, lambda ctx: read_catalogue(ctx.db))
    show(found if json else [_line(plan) for plan in found.plans], json=json, columns=PlanLine.__struct_fields__)


def _line(plan: Plan) -> PlanLine:
    quotas = [f"{quota.limit:,} {quota.meter} a {quota.period}" for quota in plan.quotas]
    rates = [f"{rate.limit} {rate.meter}, {rate.burst or rate.count:,} at once" for rate in plan.rates]
    return PlanLine(plan.id, plan.name, "; ".join(quotas) or "none", "; ".join(rates) or "none")
