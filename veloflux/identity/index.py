"""The global list of people, kept from their events."""

from veloflux.context import Context
from veloflux.events import Recorded
from veloflux.identity import store
from veloflux.transaction import Transaction


async def index_user(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Of `user.registered`; doing it again changes nothing."""
    await store.project_user(ctx.db, event.owner, event.at)
