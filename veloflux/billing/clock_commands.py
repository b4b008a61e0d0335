"""`veloflux tenants set-clock`."""

from typing import Annotated

import typer

from veloflux.billing.clock import move_clock
from veloflux.tenants.clock import ClockMode
from veloflux.tenants.commands import TENANT
from veloflux.terminal import Json, TenantOption, run, show


def set_clock(
    terminal: typer.Context,
    mode: Annotated[ClockMode, typer.Argument(help="Real time, running from --at, or stopped at --at")],
    *,
    tenant: TenantOption,
    at: Annotated[int | None, typer.Option(help="Epoch ms")] = None,
    json: Json = False,
) -> None:
    """Set a sandbox tenant's clock; what becomes due by that is done, in order."""
    show(run(terminal, lambda ctx: move_clock(ctx, mode, at), tenant=tenant), json=json, columns=TENANT)
