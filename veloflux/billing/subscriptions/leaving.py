"""A tenant leaves: its subscriptions end with it."""

from veloflux import tenants
from veloflux.billing import store
from veloflux.billing.states import LIVING
from veloflux.billing.subscriptions.cancel import cancel
from veloflux.context import Context
from veloflux.errors import NotFound
from veloflux.events import Recorded
from veloflux.transaction import Transaction


async def end_subscriptions(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Of `tenant.archived` and `tenant.deletion_requested`: usage until now is invoiced, what is unused credited, then
    nothing is charged any more. Who is restored begins anew."""
    try:
        tenant = await tenants.find(ctx, event.owner)
    except NotFound:
        return
    within = ctx.within(tenants.scope_of(tenant))
    for sub in await store.subscriptions(ctx.db, tenant.id):
        if sub.status in LIVING:
            await cancel(within, sub.id, now=True)
