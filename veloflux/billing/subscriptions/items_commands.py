"""`veloflux subscriptions`: items and coupons for the next invoices."""

from typing import Annotated

import typer

from veloflux.billing.subscriptions import coupons
from veloflux.billing.subscriptions.commands import show_subscriptions
from veloflux.billing.subscriptions.items import OneOff
from veloflux.billing.subscriptions.items import add_item as add
from veloflux.terminal import Json, TenantOption, parsed, run


def add_item(
    terminal: typer.Context,
    subscription: str,
    *,
    tenant: TenantOption,
    name: Annotated[str, typer.Option(help="What people read")] = "",
    price: Annotated[str, typer.Option(help="Of one, in major units")] = "",
    add_on: Annotated[str, typer.Option(help="Of the catalogue, one that is charged once, instead")] = "",
    quantity: Annotated[str, typer.Option(help="How many")] = "1",
    json: Json = False,
) -> None:
    """Put an item onto the next invoice."""
    wanted = parsed(OneOff, name=name, price=price or None, add_on=add_on, quantity=quantity)
    show_subscriptions([run(terminal, lambda ctx: add(ctx, subscription, wanted), tenant=tenant)], json=json)


def attach_coupon(
    terminal: typer.Context, subscription: str, coupon: str, tenant: TenantOption, json: Json = False
) -> None:
    """Attach a coupon to the next invoices."""
    changed = run(terminal, lambda ctx: coupons.attach_coupon(ctx, subscription, coupon), tenant=tenant)
    show_subscriptions([changed], json=json)


def detach_coupon(
    terminal: typer.Context, subscription: str, coupon: str, tenant: TenantOption, json: Json = False
) -> None:
    """Detach a coupon from the next invoice on."""
    changed = run(terminal, lambda ctx: coupons.detach_coupon(ctx, subscription, coupon), tenant=tenant)
    show_subscriptions([changed], json=json)
