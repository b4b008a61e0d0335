"""`veloflux subscriptions cost`, `spend`, `limit-spend`: what a subscription costs, and how far it may go."""

from typing import Annotated

import msgspec
import typer

from veloflux.billing.spend.cost import Amounts, read_cost
from veloflux.billing.spend.limits import SpendLimits, limit_spend, read_spend
from veloflux.errors import InputInvalid
from veloflux.kit import money
from veloflux.terminal import Json, TenantOption, run, say, show

COLUMNS = ("kind", "name", "quantity", "amount", "forecast_quantity", "forecast")

SPEND = ("currency", "alerts", "reached", "foreseen", "cap", "meter_caps", "acting")


def cost(terminal: typer.Context, subscription: str, *, tenant: TenantOption, json: Json = False) -> None:
    """Show what a subscription's running period costs so far, and what it will, in minor units."""
    found = run(terminal, lambda ctx: read_cost(ctx, subscription), tenant=tenant)
    show(found if json else found.rows, json=json, columns=COLUMNS)
    if not json:
        say(f"So far {_words(found.so_far, found.currency)}")
        later = found.forecast and _words(found.forecast, found.currency)
        say(f"Forecast, {found.method}: {later}" if later else "It is too early for a forecast")


def spend(terminal: typer.Context, subscription: str, *, tenant: TenantOption, json: Json = False) -> None:
    """Show a subscription's alerts and spend caps, in minor units, and which of them are reached."""
    show(run(terminal, lambda ctx: read_spend(ctx, subscription), tenant=tenant), json=json, columns=SPEND)


def set_limits(
    terminal: typer.Context,
    subscription: str,
    *,
    tenant: TenantOption,
    alert: Annotated[list[int] | None, typer.Option(help="Minor units; can be repeated")] = None,
    cap: Annotated[int | None, typer.Option(help="What all usage of a period may cost, in minor units")] = None,
    meter_cap: Annotated[list[str] | None, typer.Option(help="Like requests=5000; can be repeated")] = None,
    json: Json = False,
) -> None:
    """Set a subscription's alerts and spend caps; what is left out is none."""
    caps = dict(_pair(text) for text in meter_cap or ())
    try:
        wanted = msgspec.convert({"alerts": tuple(alert or ()), "cap": cap, "meter_caps": caps}, SpendLimits)
    except msgspec.ValidationError as error:
        raise InputInvalid(str(error)) from None
    found = run(terminal, lambda ctx: limit_spend(ctx, subscription, wanted), tenant=tenant)
    show(found, json=json, columns=SPEND)


def _pair(text: str) -> tuple[str, int]:
    meter, _, amount = text.partition("=")
    if not amount.isdecimal():
        raise InputInvalid(f"{text[:60]!r} is no cap of a meter; write it like requests=5000", field="meter_cap")
    return meter, int(amount)


def _words(amounts: Amounts, currency: str) -> str:
    before, after = (money.shown(of, currency, "en") for of in (amounts.before_tax, amounts.after_tax))
    return f"{before} before taxes, {after} with them"
