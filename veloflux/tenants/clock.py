"""A sandbox tenant's own clock."""

from typing import Literal

import msgspec

from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import ClockNotMovable
from veloflux.events import TenantClockSet
from veloflux.kit import clock
from veloflux.plans import write_policy
from veloflux.tenants.find import find
from veloflux.tenants.model import Tenant
from veloflux.transaction import Transaction, decide

ClockMode = Literal["real", "offset", "stopped"]


async def set_clock(ctx: Context, mode: ClockMode, at: int | None = None) -> Tenant:
    """Let the tenant's clock show `at` (epoch ms) from now on, running (`offset`) or `stopped`; or real time again.

    :raises ClockNotMovable: the tenant is live, or `at` is missing, superfluous, or not between 2000 and 2100.
    """
    if (at is None) != (mode == "real"):
        raise ClockNotMovable("Say at which time the clock shall be set, unless it shall show real time")
    if at is not None and not clock.EARLIEST <= at < clock.LATEST:
        raise ClockNotMovable("A clock can show a time between the years 2000 and 2100; give it in epoch ms")
    return await decide(lambda: _set(ctx, clock_text(mode, at or 0, clock.now_ms())))


def clock_text(mode: ClockMode, at: int, now: int) -> str:
    """The text of a clock, as kit.clock reads it, that shows `at` when it is `now`.

    >>> clock_text("offset", 1500, 1000), clock_text("stopped", 7, 1000), clock_text("real", 0, 1000)
    ('+500', '=7', '')
    """
    match mode:
        case "offset":
            return f"{at - now:+d}"
        case "stopped":
            return f"={at}"
    return ""


async def _set(ctx: Context, text: str) -> Tenant:
    tenant = await find(ctx, ctx.tenant)
    if tenant.mode != "sandbox":
        raise ClockNotMovable("Only a sandbox tenant's clock can be moved; this tenant is live")
    tx = Transaction(ctx, tenant.id)
    changed = tx.change(keys.tenant(tenant.id), tenant, msgspec.structs.replace(tenant, clock=text))
    await write_policy(ctx.db, tx, changed)
    tx.event(TenantClockSet(tenant=tenant.id, clock=text))
    await tx.commit()
    return changed
