"""The counters, credits and reservations of a tenant that was deleted."""

from veloflux.context import Context
from veloflux.db import keys
from veloflux.db.clearing import clear_keys
from veloflux.events import Recorded
from veloflux.limits import store
from veloflux.transaction import Transaction


async def remove_limits(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Of `tenant.deleted`. The limits hash goes with the usage; it says where that is."""
    names = await store.keys_of_limits(ctx.db, event.owner)
    await clear_keys(ctx.db, event.owner, [name for name in names if name != keys.limits(event.owner)])
