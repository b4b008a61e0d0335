"""A sandbox tenant's clock is moved, and what becomes due by that happens in order, as it would have."""

from veloflux import tenants
from veloflux.billing.advance import advance
from veloflux.context import Context
from veloflux.tenants import Tenant
from veloflux.tenants.clock import ClockMode


async def move_clock(ctx: Context, mode: ClockMode, at: int | None = None) -> Tenant:
    """Set the clock, and do what is due then. Moved back, it undoes nothing.

    :raises ClockNotMovable: see `tenants.set_clock`.
    """
    tenant = await tenants.set_clock(ctx, mode, at)
    await advance(ctx.within(tenants.scope_of(tenant), ctx.permissions))
    return await tenants.find(ctx, tenant.id)
