"""`veloflux plans`."""

import msgspec
import typer

from veloflux.plans.catalogue import Plan, catalogue
from veloflux.terminal import Json, show

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
def list_(json: Json = False) -> None:
    """List plans, and what each allows."""
    if json:
        show(catalogue(), json=True)
    else:
        show([_line(plan) for plan in catalogue().plans], json=False, columns=PlanLine.__struct_fields__)


def _line(plan: Plan) -> PlanLine:
    quotas = [f"{quota.limit:,} {quota.meter} a {quota.period}" for quota in plan.quotas]
    rates = [f"{rate.limit} {rate.meter}, {rate.burst or rate.count:,} at once" for rate in plan.rates]
    return PlanLine(plan.id, plan.name, "; ".join(quotas) or "none", "; ".join(rates) or "none")
