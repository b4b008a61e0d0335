"""Lists of tenants: all of them for operators, a person's own for everybody else."""

import asyncio
from collections.abc import AsyncIterator

from veloflux.context import PLATFORM, Context
from veloflux.kit.page import LIMIT, Page
from veloflux.tenants import store
from veloflux.tenants.access import may_everywhere
from veloflux.tenants.life import closed, open_to
from veloflux.tenants.model import IN_USE, TO_RESTORE, Member, Tenant


async def list_tenants(ctx: Context, cursor: str = "", limit: int = LIMIT, *, archived: bool = False) -> Page[Tenant]:
    """The tenants that the actor may see, newest first; an API key sees its own.

    Those in use, or instead those that are `archived` or wait for their deletion.

    :raises TenantSuspended: the API key's tenant is suspended.
    """
    if await may_everywhere(ctx, "tenants:read"):
        return await store.tenants_page(ctx, cursor, limit, archived=archived)
    if ctx.actor.person:
        return Page(_only(await tenants_of(ctx, ctx.actor.person), archived))
    own = await store.find_tenants(ctx.db, [ctx.actor.tenant])
    for tenant in own:
        if not open_to(tenant, ctx.actor.role):
            raise closed(tenant)
    return Page(_only(own, archived))


async def tenants_of(ctx: Context, user: str) -> list[Tenant]:
    """The tenants that a person is a member of, newest first; each tenant is asked, the person's list is but a hint."""
    return [tenant for tenant, _ in await memberships_of(ctx, user)]


async def memberships_of(ctx: Context, user: str) -> list[tuple[Tenant, Member]]:
    """The same, with what the person is there."""
    listed = await store.tenants_of(ctx.db, user)
    hinted = [tenant for tenant in listed if tenant != PLATFORM and ctx.actor.via in ("", tenant)]
    members = await asyncio.gather(*(store.find_member(ctx.db, tenant, user) for tenant in hinted))
    joined = {tenant: member for tenant, member in zip(hinted, members, strict=True) if member}
    found = sorted(await store.find_tenants(ctx.db, joined), key=lambda tenant: tenant.id, reverse=True)
    return [(tenant, joined[tenant.id]) for tenant in found]


async def every_tenant(ctx: Context, *, archived: bool = False) -> AsyncIterator[str]:
    """Ids of all tenants in use, or of those that are archived or wait for their deletion, newest first; for jobs."""
    cursor: str | None = ""
    while cursor is not None:
        found, cursor = await store.tenant_ids(ctx.db, cursor, archived=archived)
        for tenant in found:
            yield tenant


def _only(tenants: list[Tenant], archived: bool) -> list[Tenant]:
    return [tenant for tenant in tenants if tenant.status in (TO_RESTORE if archived else IN_USE)]
