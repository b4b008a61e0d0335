"""The usage of a tenant that was deleted."""

from veloflux.context import Context
from veloflux.db import keys
from veloflux.db.clearing import clear_keys
from veloflux.events import Recorded
from veloflux.metering import store
from veloflux.transaction import Transaction


async def remove_usage(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Of `tenant.deleted`: what was counted and seen. What stays is the state of address limits, for minutes."""
    names = await store.keys_of_usage(ctx.db, event.owner)
    await clear_keys(ctx.db, event.owner, [*names, keys.limits(event.owner)])
