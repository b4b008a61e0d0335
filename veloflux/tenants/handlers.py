"""What follows from a tenant's events: the lists that other slots keep, and the invitation's e-mail."""

from veloflux.context import PLATFORM, Context
from veloflux.db import keys, names
from veloflux.db.clearing import MEMBERS_A_STEP, clear_index, clear_keys
from veloflux.events import MemberRemoved, Recorded
from veloflux.kit import crypto, ids
from veloflux.tenants import store
from veloflux.tenants.jobs import SEND_INVITATION
from veloflux.transaction import Transaction


async def index_tenant(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Of a tenant's beginning and each change of its state: the lists, where the platform's own has no place."""
    if event.owner != PLATFORM:
        await store.project_tenant(ctx.db, event.owner)


async def release_slug(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Of `tenant.renamed` and `tenant.deleted`: the slug that it gave up is free for others."""
    sealed, *_ = event.changes.get(event.owner, {}).get("slug", [None])
    data_key = await ctx.parts.data_keys.current(event.owner, event.owner)
    if sealed and data_key and (slug := crypto.unseal(data_key, sealed)):
        await names.release(ctx.db, store.slug_name(slug), event.owner)


async def destroy_key(_ctx: Context, event: Recorded, tx: Transaction) -> None:
    """Of `tenant.deleted`, as the last: what the trail has sealed of the tenant cannot be read any more."""
    tx.delete(keys.data_key(event.owner, event.owner))


async def remove_documents(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Of `tenant.deleted`: what belonged to it, but for the trail. Each member's going tells the person's list."""
    tenant = event.owner
    while users := await store.first_members(ctx.db, tenant, MEMBERS_A_STEP):
        tx = Transaction(ctx, tenant)
        for user in users:
            tx.delete(keys.member(tenant, user))
            tx.event(MemberRemoved(user=user))
        tx.unrank(keys.members(tenant), *users)
        await tx.commit()
    await _remove_record(ctx, tenant)
    await clear_index(
        ctx.db,
        tenant,
        keys.invitations(tenant),
        lambda one: (keys.invitation(tenant, one), keys.data_key(tenant, one)),
    )
    await clear_index(ctx.db, tenant, keys.api_keys(tenant), lambda one: (keys.api_key(tenant, one),))
    await clear_index(ctx.db, tenant, keys.oidc_identities(tenant), lambda one: (keys.oidc_identity(tenant, one),))
    await clear_keys(
        ctx.db, tenant, [keys.oidc(tenant), keys.overrides(tenant), *await store.oidc_link_keys(ctx.db, tenant)]
    )
    await clear_index(ctx.db, tenant, keys.tokens(tenant), lambda one: (keys.token(tenant, one),))


async def _remove_record(ctx: Context, tenant: str) -> None:
    if record := await store.find_record(ctx.db, tenant):
        await clear_keys(ctx.db, tenant, [keys.data_key(tenant, record.id), keys.tenant_record(tenant)])


async def follow_membership(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Of whatever makes, changes or ends a membership: the person's list of tenants."""
    await store.project_membership(ctx.db, event.owner, str(event.data["user"]))


async def follow_transfer(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Of `ownership.transferred`: both persons' lists of tenants."""
    for user in (str(event.data["giver"]), str(event.data["taker"])):
        await store.project_membership(ctx.db, event.owner, user)


async def mail_invitation(_ctx: Context, event: Recorded, tx: Transaction) -> None:
    """Of `invitation.created` and `invitation.resent`: the job that sends it."""
    job = ids.derived("job", event.owner, event.id, SEND_INVITATION)
    tx.enqueue(SEND_INVITATION, {"invitation": str(event.data["invitation"])}, job=job)
