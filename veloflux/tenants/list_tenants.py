"""Lists of tenants: all of them for operators, a person's own for everybody else."""

import asyncio

from veloflux.context import PLATFORM, Context
from veloflux.kit.page import LIMIT, Page
from veloflux.tenants import store
from veloflux.tenants.access import rules_everywhere
from veloflux.tenants.model import Tenant


async def list_tenants(ctx: Context, cursor: str = "", limit: int = LIMIT) -> Page[Tenant]:
    """The tenants that the actor may see, newest first; an API key sees its own."""
    if await rules_everywhere(ctx):
        return await store.tenants_page(ctx, cursor, limit)
    if ctx.actor.person:
        return Page(await tenants_of(ctx, ctx.actor.person))
    return Page(await store.find_tenants(ctx.db, [ctx.actor.tenant]))


async def tenants_of(ctx: Context, user: str) -> list[Tenant]:
    """The tenants that a person is a member of, newest first; each tenant is asked, the person's list is but a hint."""
    hinted = [tenant for tenant in await store.tenants_of(ctx.db, user) if tenant != PLATFORM]
    members = await asyncio.gather(*(store.find_member(ctx.db, tenant, user) for tenant in hinted))
    joined = [tenant for tenant, member in zip(hinted, members, strict=True) if member]
    return sorted(await store.find_tenants(ctx.db, joined), key=lambda tenant: tenant.id, reverse=True)
