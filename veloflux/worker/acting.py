"""As whom and where the worker acts for an owner."""

import msgspec

from veloflux import tenants
from veloflux.context import Context
from veloflux.errors import NotFound
from veloflux.kit import ids


async def acting_for(ctx: Context, owner: str) -> Context:
    """A context for one piece of work: within the tenant that owns it, whose clock and zone count."""
    ctx = msgspec.structs.replace(ctx, request=ids.new("req"))
    if not ids.is_id(owner, "ten"):
        return ctx
    try:
        return ctx.within(tenants.scope_of(await tenants.find(ctx, owner)))
    except NotFound:
        return ctx
