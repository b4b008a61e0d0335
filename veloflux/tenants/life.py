"""A tenant's life, from the first customer to the tombstone. `CHANGES` is all of it.

active ──suspend──> suspended ──resume──> active      by the operator, with a reason: nobody else gets in
active ──archive──> archived                          read-only, and out of the lists
active, suspended, archived ──delete──> deleting      read-only, for as many days as the setting says
archived, deleting ──restore──> active                or suspended, if the suspension has not ended
deleting ──the job, when due──> deleted               a tombstone: the id and the trail remain
"""

import contextlib
from typing import NamedTuple

import msgspec

from veloflux.context import PLATFORM, Context
from veloflux.db import keys
from veloflux.db.jobs import Job
from veloflux.errors import Conflict, InputInvalid, PermissionDenied, TenantReadOnly, TenantSuspended, Unavailable
from veloflux.events import (
    Event,
    TenantArchived,
    TenantDeleted,
    TenantDeletionRequested,
    TenantRestored,
    TenantResumed,
)
from veloflux.events import TenantSuspended as Suspended
from veloflux.kit import clock
from veloflux.kit.text import one_line
from veloflux.tenants import store
from veloflux.tenants.find import find, scope_of
from veloflux.tenants.model import IN_USE, TO_RESTORE, Status, Tenant
from veloflux.tenants.permissions import PLATFORM_ROLES, permissions_of
from veloflux.transaction import Transaction, decide

DELETE_TENANT = "delete_tenant"
REASON_MAX = 500


class Change(NamedTuple):
    """From one of these states to another."""

    origins: tuple[str, ...]
    to: Status


CHANGES = {
    "suspend": Change(("active",), "suspended"),
    "resume": Change(("suspended",), "active"),
    "archive": Change(("active",), "archived"),
    "delete": Change(("active", "suspended", "archived"), "deleting"),
    "restore": Change(TO_RESTORE, "active"),
}


async def suspend_tenant(ctx: Context, reason: str) -> Tenant:
    """Refuse the tenant's members and keys from the next request on.

    :raises InputInvalid: the reason. :raises Conflict: the tenant is not active.
    """
    text = one_line(reason, "The reason", REASON_MAX, field="reason")
    return await decide(lambda: _change(ctx, "suspend", Suspended(tenant=ctx.tenant), suspended_for=text))


async def resume_tenant(ctx: Context) -> Tenant:
    """End a suspension.

    :raises Conflict: the tenant is not suspended.
    """
    return await decide(lambda: _change(ctx, "resume", TenantResumed(tenant=ctx.tenant), suspended_for=""))


async def archive_tenant(ctx: Context) -> Tenant:
    """Keep the tenant to be read, out of the lists.

    :raises Conflict: the tenant is not active.
    """
    return await decide(lambda: _change(ctx, "archive", TenantArchived(tenant=ctx.tenant)))


async def delete_tenant(ctx: Context, slug: str) -> Tenant:
    """Delete the tenant when the days of grace are over; until then it can be restored. `slug` confirms which one.

    :raises InputInvalid: it has another slug. :raises Conflict: it is deleted, or on the way to it.
    """
    if slug != (await find(ctx, ctx.tenant)).slug:
        raise InputInvalid("This is not the slug of this tenant; type it to confirm", field="confirm")
    at = clock.now_ms() + ctx.settings.tenant_grace_days * clock.DAY_MS
    event = TenantDeletionRequested(tenant=ctx.tenant, delete_at=at)
    return await decide(lambda: _change(ctx, "delete", event, delete_at=at))


async def restore_tenant(ctx: Context) -> Tenant:
    """Take the tenant back into use.

    :raises Conflict: the tenant is neither archived nor waiting for its deletion.
    """
    return await decide(lambda: _change(ctx, "restore", TenantRestored(tenant=ctx.tenant), delete_at=None))


async def end_tenant(ctx: Context, job: Job, tx: Transaction) -> None:
    """The job `delete_tenant`: leave a tombstone, if the deletion is still wanted. Handlers remove the rest."""
    tenant = await store.find_tenant(ctx.db, job.owner)
    if tenant is None or tenant.delete_at is None or tenant.delete_at > clock.now_ms():
        return
    tombstone = Tenant(id=tenant.id, slug="", name="", status="deleted", created_at=tenant.created_at)
    tx.change(keys.tenant(tenant.id), tenant, tombstone)
    tx.put(keys.limits(tenant.id), {"status": "deleted"})
    for role in tenant.roles:
        tx.delete(keys.role_holders(tenant.id, role))
        tx.drop(keys.limits(tenant.id), f"role:{role}")
    tx.event(TenantDeleted(tenant=tenant.id))


def open_to(tenant: Tenant, role: str) -> frozenset[str]:
    """What of a role's permissions the tenant's state leaves."""
    if tenant.suspended_for and role not in PLATFORM_ROLES:
        return frozenset()
    allowed = permissions_of(role, scope_of(tenant).roles)
    if tenant.status in IN_USE:
        return allowed
    return frozenset(p for p in allowed if p.endswith(":read") or p == "tenant:close")


def closed(tenant: Tenant) -> PermissionDenied:
    """What they hear who may do something that the tenant's state forbids."""
    return closed_by("suspended" if tenant.suspended_for else tenant.status)


def closed_by(status: str) -> PermissionDenied:
    """As `closed`, where nothing but the status is known."""
    if status == "suspended":
        return TenantSuspended("This tenant is suspended; the operator can say why")
    return TenantReadOnly("This tenant is archived, or waits for its deletion; its owner can restore it")


def put_suspended(tx: Transaction, tenant: Tenant, reason: str) -> Tenant:
    """Part of a commit of the tenant: as `suspend_tenant`.

    :raises Conflict: the tenant is not active.
    """
    return _put(tx, tenant, "suspend", Suspended(tenant=tenant.id), suspended_for=reason)


def put_resumed(tx: Transaction, tenant: Tenant) -> Tenant:
    """Part of a commit of the tenant: as `resume_tenant`.

    :raises Conflict: the tenant is not suspended.
    """
    return _put(tx, tenant, "resume", TenantResumed(tenant=tenant.id), suspended_for="")


async def _change(ctx: Context, verb: str, event: Event, **values: object) -> Tenant:
    tenant, tx = await find(ctx, ctx.tenant), Transaction(ctx, ctx.tenant)
    changed = _put(tx, tenant, verb, event, **values)
    if changed.delete_at:
        tx.enqueue(DELETE_TENANT, {}, run_at=changed.delete_at)
    await tx.commit()
    with contextlib.suppress(Unavailable):  # the worker does it again
        await store.project_tenant(ctx.db, tenant.id)
    return changed


def _put(tx: Transaction, tenant: Tenant, verb: str, event: Event, **values: object) -> Tenant:
    origins, to = CHANGES[verb]
    if tenant.status not in origins or tenant.id == PLATFORM:
        raise Conflict(f"This tenant is {tenant.status}; only one that is {' or '.join(origins)} can be changed so")
    changed = msgspec.structs.replace(tenant, status=to, **values)
    if verb == "restore" and tenant.suspended_for:
        changed = msgspec.structs.replace(changed, status="suspended")
    changed = tx.change(keys.tenant(tenant.id), tenant, changed)
    tx.put(keys.limits(tenant.id), {"status": changed.status})
    tx.event(event)
    return changed
