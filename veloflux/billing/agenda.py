"""What is to be done about a tenant's subscriptions and invoices, and when.

An item is `<kind>/<id>`, due at a time of the tenant's clock. What is due is done in order, each as at its own time,
however late: a worker that was away for months, and a sandbox whose clock is moved by months, do the same. Whoever puts
an item there wakes the worker by a job at that time; the item itself stays until the commit that does it.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from veloflux.billing import store
from veloflux.context import Context
from veloflux.db import commit, keys
from veloflux.db.documents import Entity
from veloflux.errors import ChangedMeanwhile, Unavailable
from veloflux.kit import clock
from veloflux.transaction import Transaction, decide

ADVANCE = "advance_billing"
"""The kind of the job that does what is due."""
ITEMS_MAX = 100_000


class Item(NamedTuple):
    """`due` in epoch ms of the tenant's clock."""

    kind: str
    subject: str
    due: int

    @property
    def member(self) -> str:
        return f"{self.kind}/{self.subject}"


Handler = Callable[[Context, Item], Awaitable[None]]
"""Does what is due in a commit that takes the item off, or moves it; the context's time is when it was due."""


def put(ctx: Context, tx: Transaction, item: Item) -> None:
    """Let it be done when it is due; an item of the same kind and subject moves."""
    tx.rank(keys.agenda(tx.owner), item.member, item.due)
    wake(ctx, tx, item.due)


def take(tx: Transaction, kind: str, subject: str) -> None:
    """Let it not be done."""
    tx.unrank(keys.agenda(tx.owner), f"{kind}/{subject}")


def expect(tx: Transaction, item: Item) -> None:
    """Refuse the commit unless the item is still due as it was read: for a kind whose documents do not tell that
    somebody else has done it meanwhile, and more."""
    tx.expect_rank(keys.agenda(tx.owner), item.member, item.due)


def wake(ctx: Context, tx: Transaction, due: int) -> None:
    """Have a worker look when the tenant's clock shows `due`. What is due at the moment that is being caught up with is
    found by who does that; where the clock stands still, whoever moves it looks."""
    assert ctx.scope
    if ctx.scope.clock.startswith("=") or (ctx.moment is not None and due <= ctx.moment):
        return
    ahead = clock.apply(ctx.scope.clock, 0)
    tx.enqueue(ADVANCE, {}, run_at=max(due - ahead, 1))


async def correct(ctx: Context, item: Item, due: int | None, key: str, found: Entity | None) -> None:
    """Move an item that is due at another time, or take off one that is not due at all, as the document at `key` says
    (None: there is none).

    :raises ChangedMeanwhile: it is another one by now; whoever changed it may have put the item there anew.
    """
    tx = Transaction(ctx, ctx.tenant)
    if found:
        tx.expect(key, "version", str(found.version))
    else:
        tx.expect_absent(key)
    if due is None:
        take(tx, item.kind, item.subject)
    else:
        put(ctx, tx, item._replace(due=due))
    await commit.run(ctx.db, tx)


async def first(ctx: Context) -> Item | None:
    """What is due first; None: nothing is planned."""
    found = await store.first_due(ctx.db, ctx.tenant)
    if found is None:
        return None
    kind, _, subject = found[0].partition("/")
    return Item(kind, subject, found[1])


async def advance(ctx: Context, handlers: Mapping[str, Handler], until: int) -> int:
    """Do what is due by a time of the tenant's clock, in order; gives how much that was.

    :raises Unavailable: there is more than can be right, or Redis is away; what is done is done.
    :raises ChangedMeanwhile: what an item is about changed at each of ten attempts in a row, and the item stayed.
    """
    tried: Item | None = None
    for done in range(ITEMS_MAX):
        item = await first(ctx)
        if item is None or item.due > until:
            return done
        try:
            await decide(lambda item=item: handlers[item.kind](ctx.at(item.due), item))  # type: ignore[misc]
        except ChangedMeanwhile:  # perhaps by somebody who does it too, and was first: then something else is due now
            if item == tried:
                raise
            tried = item
        else:
            tried = None
    raise Unavailable("More is due than can be done at once; it goes on with the next try")
