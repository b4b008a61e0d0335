"""Tenants by slug or id, and the platform's own."""

from veloflux.context import PLATFORM, Context, Scope
from veloflux.db import keys
from veloflux.db.client import Db
from veloflux.errors import ChangedMeanwhile, NotFound
from veloflux.events import TenantCreated
from veloflux.kit import clock, ids
from veloflux.plans import read_catalogue, write_policy
from veloflux.tenants import store
from veloflux.tenants.model import Tenant
from veloflux.tenants.slug import PLATFORM_SLUG, SLUG
from veloflux.transaction import Transaction


async def find(ctx: Context, ref: str) -> Tenant:
    """The tenant with a slug or an id.

    :raises NotFound: there is none.
    """
    tenant = await sought(ctx, ref)
    if tenant is None:
        raise not_found(ref)
    return tenant


async def sought(ctx: Context, ref: str) -> Tenant | None:
    """As `find`, for whoever has more to ask before it may be told that there is none."""
    if ref in (PLATFORM, PLATFORM_SLUG):
        return await platform(ctx)
    return await look_up(ctx.db, ref, ctx.actor.id)


async def look_up(db: Db, ref: str, actor: str) -> Tenant | None:
    """As `sought`, for an actor that is not known yet to be who it says: it makes nothing."""
    if ref == PLATFORM_SLUG or ids.is_id(ref, "ten"):
        return await store.find_tenant(db, PLATFORM if ref == PLATFORM_SLUG else ref)
    return await store.find_by_slug(db, ref, actor) if SLUG.fullmatch(ref) else None


def not_found(ref: str) -> NotFound:
    """What those hear who ask for a tenant that is not there, or not theirs."""
    return NotFound(f"There is no tenant {ref[:60]!r}")


async def platform(ctx: Context) -> Tenant:
    """The operators' own tenant, made when it is first needed."""
    tenant = await store.find_tenant(ctx.db, PLATFORM)
    if tenant:
        return tenant
    tx = Transaction(ctx, PLATFORM)
    largest = (await read_catalogue(ctx.db)).plans[-1].id
    tenant = Tenant(id=PLATFORM, slug=PLATFORM_SLUG, name="VeloFlux", plan=largest, created_at=clock.now_ms())
    tx.create(keys.tenant(PLATFORM), tenant)
    await write_policy(ctx.db, tx, tenant)
    tx.event(TenantCreated(tenant=PLATFORM))
    try:
        await tx.commit()
    except ChangedMeanwhile:  # another process was first
        return await platform(ctx)
    return tenant


def scope_of(tenant: Tenant) -> Scope:
    return Scope(
        id=tenant.id,
        slug=tenant.slug,
        zone=tenant.zone,
        clock=tenant.clock,
        version=tenant.version,
        roles={name: frozenset(role.permissions) for name, role in tenant.roles.items()},
    )
