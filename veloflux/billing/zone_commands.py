"""`veloflux tenants set-zone`."""

from typing import Annotated

import typer

from veloflux.billing.zone import set_zone as change
from veloflux.tenants.commands import TENANT
from veloflux.terminal import Json, run, show


def set_zone(
    terminal: typer.Context,
    tenant: str,
    zone: Annotated[str, typer.Argument(help="IANA time zone, like America/Sao_Paulo")],
    *,
    json: Json = False,
) -> None:
    """Give a tenant another time zone; running periods of its subscriptions end when they would have."""
    show(run(terminal, lambda ctx: change(ctx, zone), tenant=tenant), json=json, columns=TENANT)
