"""What follows for tenants from the end of a person."""

import contextlib

from veloflux import tenants
from veloflux.context import Context
from veloflux.errors import NotFound
from veloflux.events import Recorded
from veloflux.transaction import Transaction


async def leave_tenants(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Of `user.deleted`: the memberships.

    Where the person became the last owner meanwhile, it fails until somebody else is owner: the job that is then
    listed as dead tells the operators.
    """
    for tenant, member in await tenants.memberships_of(ctx, event.owner):
        with contextlib.suppress(NotFound):  # removed by somebody else
            await tenants.remove_member(ctx.within(tenants.scope_of(tenant), tenants.EVERYTHING), member.id)
