"""On which day of the month a tenant's billing periods begin.

A period is one of whole days in the tenant's zone. Another anchor holds from the next check on, and makes the running
period the one that it gives: counters of quotas by billing period are opened anew from the usage that is kept by day
(see metering.open_periods), so that what was used since that period's first day counts, once.
"""

from datetime import date

import msgspec

from veloflux.context import PLATFORM, Context
from veloflux.db import keys
from veloflux.errors import Conflict, InputInvalid
from veloflux.events import TenantBillingAnchorSet
from veloflux.kit import clock
from veloflux.kit.period import utc_day
from veloflux.plans import write_policy
from veloflux.tenants.find import find
from veloflux.tenants.model import Tenant
from veloflux.transaction import Transaction, decide


async def set_billing_anchor(ctx: Context, anchor: date) -> Tenant:
    """Let a billing period begin on a day, past or to come, and each month from it: of the 31st on the last day of a
    shorter month, and on the 31st again where there is one.

    :raises InputInvalid: the day is not between 2000 and 2100. :raises Conflict: it is the platform's own tenant.
    """
    if not utc_day(clock.EARLIEST) <= anchor < utc_day(clock.LATEST):
        raise InputInvalid("A billing period can begin on a day between the years 2000 and 2100", field="anchor")
    if ctx.tenant == PLATFORM:
        raise Conflict("The platform's own tenant is not billed")
    return await decide(lambda: _set(ctx, anchor.isoformat()))


async def _set(ctx: Context, anchor: str) -> Tenant:
    old = await find(ctx, ctx.tenant)
    if old.billing_anchor == anchor:
        return old
    tx = Transaction(ctx, old.id)
    changed = tx.change(keys.tenant(old.id), old, msgspec.structs.replace(old, billing_anchor=anchor))
    await write_policy(ctx.db, tx, changed)
    tx.event(TenantBillingAnchorSet(tenant=old.id, anchor=anchor))
    await tx.commit()
    return changed
