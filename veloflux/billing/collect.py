"""An invoice is to be paid: the worker tries to collect it when it is due."""

from veloflux.billing import agenda
from veloflux.billing.agenda import Item
from veloflux.context import Context


async def collect(ctx: Context, item: Item) -> None:
    """What is due when an invoice is."""
    await agenda.correct(ctx, item, None)
