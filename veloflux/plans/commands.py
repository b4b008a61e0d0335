"""`veloflux plans`."""

from decimal import Decimal

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
    prices: str
    quotas: str
    rates: str


@app.callback()
def plans() -> None:
    """The catalogue."""


@app.command("list")
def list_(terminal: typer.Context, json: Json = False) -> None:
    """List plans, what each costs and allows; as JSON the whole catalogue."""
    found = run(terminal, lambda ctx: read_catalogue(ctx.db))
    show(found if json else [_line(plan) for plan in found.plans], json=json, columns=PlanLine.__struct_fields__)


def _line(plan: Plan) -> PlanLine:
    quotas = [f"{quota.limit:,} {quota.meter} a {quota.period}" for quota in plan.quotas]
    rates = [f"{rate.limit} {rate.meter}, {rate.burst or rate.count:,} at once" for rate in plan.rates]
    return PlanLine(plan.id, plan.name, _prices(plan), "; ".join(quotas) or "none", "; ".join(rates) or "none")


def _prices(plan: Plan) -> str:
    """Of a period, and which meters cost beside it."""
    fixed: dict[str, Decimal] = {}
    for charge in plan.fixed:
        for currency, price in charge.prices.items():
            fixed[currency] = fixed.get(currency, Decimal(0)) + Decimal(price) * charge.quantity
    every = plan.interval if plan.interval_count == 1 else f"{plan.interval_count} {plan.interval}s"
    parts = [f"{amount:,} {currency} a {every}" for currency, amount in fixed.items()]
    return "; ".join(parts + [f"{charge.meter} beyond {Decimal(charge.included):,}" for charge in plan.usage]) or "none"
