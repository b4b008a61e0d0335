"""`veloflux subscriptions cost`, `limit-spend`: what a subscription costs, and how far it may go."""

import typer

from veloflux.billing.cost import Amounts, read_cost
from veloflux.kit import money
from veloflux.terminal import Json, TenantOption, run, say, show

COLUMNS = ("kind", "name", "quantity", "amount", "forecast_quantity", "forecast")


def cost(terminal: typer.Context, subscription: str, *, tenant: TenantOption, json: Json = False) -> None:
    """Show what a subscription's running period costs so far, and what it will, in minor units."""
    found = run(terminal, lambda ctx: read_cost(ctx, subscription), tenant=tenant)
    show(found if json else found.rows, json=json, columns=COLUMNS)
    if not json:
        say(f"So far {_words(found.so_far, found.currency)}")
        later = found.forecast and _words(found.forecast, found.currency)
        say(f"Forecast, {found.method}: {later}" if later else "It is too early for a forecast")


def _words(amounts: Amounts, currency: str) -> str:
    before, after = (money.shown(of, currency, "en") for of in (amounts.before_tax, amounts.after_tax))
    return f"{before} before taxes, {after} with them"
