"""A tenant can require a second factor: whose session has none is refused there, whatever their role.

Keys are not concerned: they prove nothing but themselves. Nor is who comes by the tenant's own sign-in provider: what
that asks for is the tenant's own choice. Nobody can require what they have not proved, so that nobody
locks themselves out.
"""

import msgspec

from veloflux import identity
from veloflux.context import PLATFORM, Actor, Context
from veloflux.db import keys
from veloflux.errors import Conflict, SecondFactorNeeded
from veloflux.events import TenantSecondFactorSet
from veloflux.tenants.find import find
from veloflux.tenants.model import Tenant
from veloflux.transaction import Transaction, decide


async def require_second_factor(ctx: Context, required: bool) -> Tenant:
    """Refuse the people whose session has no second factor, from the next request on, or no longer.

    :raises SecondFactorNeeded: the actor's own session has none. :raises Conflict: it is the platform's own tenant.
    """
    if ctx.tenant == PLATFORM:
        raise Conflict("The platform's own tenant cannot require a second factor")
    if required and not ctx.actor.id.startswith("cli:") and not identity.has_second(ctx.actor.factors):
        raise SecondFactorNeeded("Prove your own second factor before you require one of everybody")
    return await decide(lambda: _set(ctx, required))


def admit(actor: Actor, tenant: Tenant) -> None:
    """:raises SecondFactorNeeded: the tenant requires a second factor, and the person's session has none."""
    trusted = actor.via == tenant.id
    if tenant.requires_second_factor and actor.person and not (trusted or identity.has_second(actor.factors)):
        raise SecondFactorNeeded("This tenant requires a second factor; add one to your account, or confirm yours")


async def _set(ctx: Context, required: bool) -> Tenant:
    old = await find(ctx, ctx.tenant)
    if old.requires_second_factor == required:
        return old
    tx = Transaction(ctx, old.id)
    changed = tx.change(keys.tenant(old.id), old, msgspec.structs.replace(old, requires_second_factor=required))
    tx.event(TenantSecondFactorSet(tenant=old.id, required=required))
    await tx.commit()
    return changed
