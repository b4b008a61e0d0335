"""How the worker ends a piece of work: its effects and the mark that it is done, in one commit."""

from veloflux.context import Context
from veloflux.db import commit
from veloflux.errors import NotSent, RedisFull, Unknown
from veloflux.transaction import Transaction

REDIS_AWAY = (NotSent, Unknown, RedisFull)
"""No fault of a handler: the work waits for Redis, and no attempt is counted."""


class LeaseLost(Exception):
    """Another worker has done this work meanwhile; nothing of ours took effect."""


async def finish(ctx: Context, tx: Transaction) -> None:
    """Commit; an event only where something happened, since a moved cursor or a job done is no news."""
    if tx.leaves_trail:
        await tx.commit()
    else:
        await commit.run(ctx.db, tx)
        if tx.has_due_job:
            ctx.parts.wake(tx.owner)


def short(error: Exception) -> str:
    """An error as a job or a log keeps it."""
    return f"{type(error).__name__}: {error}"[:500]
