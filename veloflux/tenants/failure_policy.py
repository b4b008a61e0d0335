"""What a check answers when Redis is away: a refusal (closed), or that the request may pass uncounted (open).

It is part of the tenant's policy, which each process remembers: at that moment it could not be read.
"""

import msgspec

from veloflux.context import Context
from veloflux.db import keys
from veloflux.events import TenantFailurePolicySet
from veloflux.plans import write_policy
from veloflux.tenants.find import find
from veloflux.tenants.model import Tenant
from veloflux.transaction import Transaction, decide


async def set_failure_policy(ctx: Context, fails_open: bool) -> Tenant:
    """Let checks fail open, or closed."""
    return await decide(lambda: _set(ctx, fails_open))


async def _set(ctx: Context, fails_open: bool) -> Tenant:
    old = await find(ctx, ctx.tenant)
    if old.fails_open == fails_open:
        return old
    tx = Transaction(ctx, old.id)
    changed = tx.change(keys.tenant(old.id), old, msgspec.structs.replace(old, fails_open=fails_open))
    await write_policy(ctx.db, tx, changed)
    tx.event(TenantFailurePolicySet(tenant=old.id, fails_open=fails_open))
    await tx.commit()
    return changed
