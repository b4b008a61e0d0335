"""Every tenant's policy is compiled anew after a change of the catalogue, in a commit each.

A job of the operators walks the list of tenants, newest first, then those that are archived. Each run takes some, and
its last commit moves the cursor and enqueues the next run: after a crash it goes on where it was, and who has the new
policy is passed over. Who comes into the lists behind the cursor, created or restored, is looked at when that event is
handled. A change of the catalogue meanwhile begins anew.
"""

import asyncio

import msgspec
import structlog

from veloflux.context import PLATFORM, Context
from veloflux.db import documents, keys
from veloflux.db.jobs import Job
from veloflux.errors import PlanUnknown
from veloflux.events import PolicyCompiled, Recorded
from veloflux.kit import clock
from veloflux.plans import read_policy, write_policy
from veloflux.tenants import store
from veloflux.tenants.model import Rollout
from veloflux.transaction import Transaction, decide

COMPILE_POLICIES = "compile_policies"
TENANTS_A_RUN = 50
log = structlog.get_logger(slice="tenants")


def begin_rollout(tx: Transaction, version: int) -> None:
    """Part of the commit that changes the catalogue."""
    tx.delete(keys.rollout(PLATFORM))
    tx.put(keys.rollout(PLATFORM), documents.to_fields(Rollout(version=version, began_at=clock.now_ms())))
    tx.enqueue(COMPILE_POLICIES, {"version": str(version)})


async def read_rollout(ctx: Context) -> Rollout:
    """The last walk, or the one under way; its version is 0 where the catalogue was never changed."""
    return await store.find_rollout(ctx.db) or Rollout(version=0)


async def compile_policies(ctx: Context, job: Job, tx: Transaction) -> None:
    """The job `compile_policies`: the next tenants."""
    now = await store.find_rollout(ctx.db)
    if now is None or str(now.version) != job.payload["version"] or now.finished_at:
        return
    page = await store.tenants_page(ctx, now.cursor, TENANTS_A_RUN, archived=now.archived)
    follow = await asyncio.gather(*(compile_policy(ctx, tenant.id) for tenant in page.items))
    next_ = msgspec.structs.replace(
        now,
        done=now.done + sum(follow),
        left=now.left + len(follow) - sum(follow),
        cursor=page.next or "",
        archived=now.archived or page.next is None,
        finished_at=clock.now_ms() if now.archived and page.next is None else None,
    )
    tx.expect(keys.rollout(PLATFORM), "version", str(now.version))
    tx.put(keys.rollout(PLATFORM), documents.to_fields(next_))
    if next_.finished_at is None:
        tx.enqueue(COMPILE_POLICIES, job.payload)


async def follow_catalogue(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Of `tenant.created` and `tenant.restored`: a catalogue that changed while the walk could not see the tenant."""
    if event.owner != PLATFORM:
        await compile_policy(ctx, event.owner)


async def compile_policy(ctx: Context, tenant: str) -> bool:
    """Give a tenant the policy that the catalogue in force makes of it, once.

    False: the catalogue lacks its plan, which it got at this moment; it keeps the policy that it had.
    """
    return await decide(lambda: _compile(ctx, tenant))


async def _compile(ctx: Context, id_: str) -> bool:
    tenant = await store.find_tenant(ctx.db, id_)
    if tenant is None or tenant.status == "deleted":
        return True
    tx = Transaction(ctx, id_)
    tx.expect(keys.tenant(id_), "version", str(tenant.version))
    try:
        policy = await write_policy(ctx.db, tx, tenant)
    except PlanUnknown:
        log.warning("plan_missing", tenant=id_, plan=tenant.plan)
        return False
    held = await read_policy(ctx.db, id_)  # after what the commit expects: another one may be at this tenant, too
    if held and held.catalogue == policy.catalogue:
        return True
    tx.event(PolicyCompiled(tenant=id_, catalogue=policy.catalogue))
    await tx.commit()
    return True
