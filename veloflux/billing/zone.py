"""A tenant gets another time zone: its days, months and next periods are counted by other clocks.

The running period of a subscription stays as it is. The next one begins where it ends, and ends at the same local date
and time as before, by the new clocks. What is due is done first, by the clocks that made it so; then zone, policy and
schedule change in one commit: no usage is cut by the clocks of one zone and billed by those of the other.
"""

from msgspec.structs import replace

from veloflux import metering, tenants
from veloflux.billing.advance import advance
from veloflux.billing.basis import read_basis
from veloflux.billing.subscriptions.follow import reschedule
from veloflux.context import PLATFORM, Context
from veloflux.db import keys
from veloflux.errors import Conflict
from veloflux.events import TenantZoneSet
from veloflux.plans import write_policy
from veloflux.tenants import Tenant
from veloflux.tenants.life import closed
from veloflux.tenants.model import IN_USE
from veloflux.transaction import Transaction, decide


async def set_zone(ctx: Context, zone: str) -> Tenant:
    """Give the tenant another time zone, by its IANA name.

    :raises InputInvalid: there is no such zone. :raises Conflict: it is the platform's own tenant.
    :raises TenantReadOnly: it is archived or waits for its deletion.
    """
    tenants.checked_zone(zone)
    if ctx.tenant == PLATFORM:
        raise Conflict("The platform's own tenant keeps its time zone")
    return await decide(lambda: _set(ctx, zone))


async def _set(ctx: Context, zone: str) -> Tenant:
    old = await tenants.find(ctx, ctx.tenant)
    if old.status not in IN_USE:
        raise closed(old)
    if old.zone == zone:
        return old
    within = ctx.within(tenants.scope_of(old), ctx.permissions)
    await advance(within)
    basis = await read_basis(within)
    new = replace(basis.tenant, zone=zone)
    tx = Transaction(within, new.id)
    schedule = await reschedule(within, tx, basis._replace(tenant=new))
    changed = tx.change(keys.tenant(new.id), basis.tenant, new)
    policy = await write_policy(ctx.db, tx, changed, schedule=schedule)
    await metering.begin_days_anew(ctx.db, tx, new.id, policy.meters)
    tx.event(TenantZoneSet(tenant=new.id, zone=zone))
    await tx.commit()
    return changed
