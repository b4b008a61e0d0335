"""`veloflux tenants set-clock`."""

from datetime import datetime
from typing import Annotated

import typer

from veloflux.billing.clock import move_clock
from veloflux.context import Context
from veloflux.errors import InputInvalid
from veloflux.kit.period import moment
from veloflux.tenants import Tenant
from veloflux.tenants.clock import ClockMode
from veloflux.tenants.commands import TENANT
from veloflux.terminal import Json, TenantOption, run, show


def set_clock(
    terminal: typer.Context,
    mode: Annotated[ClockMode, typer.Argument(help="Real time, running from --at, or stopped at --at")],
    *,
    tenant: TenantOption,
    at: Annotated[
        str, typer.Option(help="A day or time of the tenant's zone, like 2026-12-24T09:30; or epoch ms")
    ] = "",
    json: Json = False,
) -> None:
    """Set a sandbox tenant's clock; what becomes due by that is done, in order."""
    show(run(terminal, lambda ctx: _move(ctx, mode, at), tenant=tenant), json=json, columns=TENANT)


async def _move(ctx: Context, mode: ClockMode, at: str) -> Tenant:
    assert ctx.scope
    return await move_clock(ctx, mode, time_said(at, ctx.scope.zone) if at else None)


def time_said(text: str, zone: str) -> int:
    """Epoch ms of a number, or of a day or time as the clocks of a zone show it.

    >>> time_said("2026-12-24", "America/Sao_Paulo"), time_said("1798081200000", "America/Sao_Paulo")
    (1798081200000, 1798081200000)

    :raises InputInvalid: it is none of these.
    """
    if text.removeprefix("-").isdecimal():
        return int(text)
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        raise InputInvalid("Write the time like 2026-12-24 or 2026-12-24T09:30, or in epoch ms", field="at") from None
    return int(local.timestamp() * 1000) if local.tzinfo else moment(local, zone)
