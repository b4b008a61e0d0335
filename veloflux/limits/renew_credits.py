"""The worker makes the next period of recurring grants ahead of time, and takes out what ended.

A period begins while its credits are there already: they are made when the one before it begins. The commit that makes
them changes the grant, so each is made once, by whichever worker. After an outage the present and the next one are
made; those that passed are not. A sandbox's clock that goes back finds no period a second time.
"""

import functools

from veloflux import tenants
from veloflux.context import Context
from veloflux.db import commit, keys
from veloflux.db.jobs import Job
from veloflux.errors import NotFound
from veloflux.events import CreditRenewed, Recorded
from veloflux.limits import store
from veloflux.limits.credits import put_instances
from veloflux.transaction import Transaction, decide


async def renew_credits(ctx: Context, _job: Job, _tx: Transaction) -> None:
    """The job `renew_credits`: of every tenant in use, once an hour."""
    async for tenant in tenants.every_tenant(ctx):
        await renew_of_tenant(ctx, tenant)


async def follow_calendar(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Of `tenant.clock_set` and `tenant.restored`: the tenant's present is another one."""
    await renew_of_tenant(ctx, event.owner)


async def renew_of_tenant(ctx: Context, id_: str) -> None:
    """What is to be done about the grants of a tenant at this moment of its clock."""
    if not await store.has_grants_due(ctx.db, id_):
        return
    try:
        tenant = await tenants.find(ctx, id_)
    except NotFound:
        return
    within = ctx.within(tenants.scope_of(tenant))
    for grant in await store.grants_due(ctx.db, id_, within.now()):
        await decide(functools.partial(_renew, within, grant))


async def _renew(ctx: Context, id_: str) -> None:
    assert ctx.scope
    found = await store.find_grant(ctx.db, ctx.tenant, id_)
    if found is None or found.status == "void":  # whoever voided it has taken it off the list
        return
    held = await store.instances(ctx.db, ctx.tenant, found.meter_key)
    tx = Transaction(ctx, ctx.tenant)
    renewed, made = put_instances(tx, found, held, ctx.scope.zone, ctx.now())
    if not made:
        await commit.run(ctx.db, tx)
        return
    tx.change(keys.grant(ctx.tenant, id_), found, renewed)
    for one in made:
        tx.event(CreditRenewed(grant=id_, meter=found.meter, amount=found.amount, starts_at=one.starts))
    await tx.commit()
