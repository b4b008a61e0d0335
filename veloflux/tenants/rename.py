"""A tenant gets another name or slug.

The new slug is claimed, committed and confirmed like the first one (veloflux.db.names); then the old one is released. A
crash between the two leaves the release to the handler of `tenant.renamed`.
"""

import contextlib

import msgspec

from veloflux.context import PLATFORM, Context
from veloflux.db import keys, names
from veloflux.db.names import Claim
from veloflux.errors import Conflict, NameTaken, Unavailable
from veloflux.events import TenantRenamed
from veloflux.kit.text import one_line
from veloflux.tenants import slug as slugs
from veloflux.tenants import store
from veloflux.tenants.create_tenant import NAME_MAX
from veloflux.tenants.find import find
from veloflux.tenants.life import closed
from veloflux.tenants.model import IN_USE, Tenant
from veloflux.transaction import Transaction, decide


async def rename_tenant(ctx: Context, name: str = "", slug: str = "") -> Tenant:
    """Give the tenant another name, another slug, or both; "" keeps what it has. The old slug is free at once.

    :raises InputInvalid: name or slug. :raises NameTaken: another tenant has the slug.
    :raises Conflict: it is the platform's own. :raises TenantReadOnly: it is archived or waits for its deletion.
    """
    if ctx.tenant == PLATFORM:
        raise Conflict("The platform's own tenant keeps its name")
    name = name and one_line(name, "A tenant's name", NAME_MAX)
    slug = slug and slugs.check(slug)
    return await decide(lambda: _rename(ctx, name, slug))


async def _rename(ctx: Context, name: str, slug: str) -> Tenant:
    old = await find(ctx, ctx.tenant)
    if old.status not in IN_USE:
        raise closed(old)
    new = msgspec.structs.replace(old, name=name or old.name, slug=slug or old.slug)
    if new == old:
        return old
    if new.slug == old.slug:
        return await _commit(ctx, old, new)
    try:
        async with names.claimed(ctx.db, store.slug_name(new.slug), old.id) as claim:
            changed = await _commit(ctx, old, new, claim)
    except NameTaken:
        raise NameTaken(f"The slug {new.slug!r} is taken; choose another", field="slug") from None
    with contextlib.suppress(Unavailable):  # the worker does it again
        await names.release(ctx.db, store.slug_name(old.slug), old.id)
    return changed


async def _commit(ctx: Context, old: Tenant, new: Tenant, claim: Claim | None = None) -> Tenant:
    tx = Transaction(ctx, old.id)
    if claim:
        claim.guard(tx)
    changed = tx.change(keys.tenant(old.id), old, new)
    tx.event(TenantRenamed(tenant=old.id))
    await tx.commit()
    return changed
