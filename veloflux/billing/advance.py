"""What is due about a tenant's subscriptions and invoices is done, by the worker's job and by whoever moves a clock."""

from collections.abc import Mapping
from types import MappingProxyType

from veloflux import tenants
from veloflux.billing import agenda
from veloflux.billing.agenda import Handler
from veloflux.billing.fiscal.follow import follow_document
from veloflux.billing.fiscal.requests import KIND as FISCAL
from veloflux.billing.invoices.assign_number import assign_number
from veloflux.billing.invoices.bill_late import LATE, bill_late
from veloflux.billing.invoices.deferrals import release
from veloflux.billing.invoices.finalise import finalise
from veloflux.billing.payments.collect import collect
from veloflux.billing.spend.watch import close_watched
from veloflux.billing.wallet.expire_gift import expire_gift
from veloflux.context import Context
from veloflux.db.jobs import Job
from veloflux.errors import NotFound
from veloflux.events import Recorded
from veloflux.transaction import Transaction

HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "close": close_watched,
        "finalise": finalise,
        LATE: bill_late,
        "number": assign_number,
        "collect": collect,
        "release": release,
        FISCAL: follow_document,
        "expire_gift": expire_gift,
    }
)
"""By the kind of an item. What is due at the same moment is done in the order of these names."""


async def advance(ctx: Context) -> int:
    """Do what is due by now, each as at its own time; gives how much that was."""
    return await agenda.advance(ctx, HANDLERS, ctx.now())


async def advance_billing(ctx: Context, _job: Job, _tx: Transaction) -> None:
    """The job of a tenant for which something is due."""
    if ctx.scope:
        await advance(ctx)


async def follow_clock(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Of `tenant.clock_set` and `tenant.restored`: another time, at which other things are due."""
    try:
        tenant = await tenants.find(ctx, event.owner)
    except NotFound:
        return
    await advance(ctx.within(tenants.scope_of(tenant)))
