"""The route of a sandbox tenant's clock."""

from typing import Annotated

import msgspec
from litestar import put
from msgspec import Meta

from veloflux.billing.clock import move_clock
from veloflux.context import Context
from veloflux.kit import clock
from veloflux.tenants import Tenant
from veloflux.tenants.api import TenantPath
from veloflux.tenants.clock import ClockMode

ClockTime = Annotated[
    int,
    Meta(ge=clock.EARLIEST, lt=clock.LATEST, description="Epoch ms, from 2000 to 2099", examples=[1_700_000_000_000]),
]


class SetClock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    mode: Annotated[ClockMode, Meta(description="Real time, running from `at`, or stopped at `at`")]
    at: ClockTime | None = None


@put(
    "/api/tenants/{tenant:str}/clock",
    operation_id="tenants.set_clock",
    permission="tenant:write",
    summary="Set a sandbox tenant's clock",
    tags=["tenants"],
)
async def set_clock(ctx: Context, tenant: TenantPath, data: SetClock) -> Tenant:
    """What becomes due by it is done before this is answered, in order, each as at its own time: periods end, invoices
    are issued, payments are tried. If that is cut short, a worker goes on."""
    return await move_clock(ctx, data.mode, data.at)


ROUTES = (set_clock,)
