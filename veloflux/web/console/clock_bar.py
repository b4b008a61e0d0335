"""What the bar says that every page of a sandbox tenant has: the time of its clock, what is due next, and what happened
since it was moved."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Literal, NamedTuple

from veloflux.billing import agenda
from veloflux.billing.agenda import Item
from veloflux.billing.arithmetic.periods import Anchor, anchored, boundary
from veloflux.billing.subscriptions.history import happened_since
from veloflux.context import Context
from veloflux.kit.period import moment

Step = Literal["day", "week", "month"]
DAYS = {"day": 1, "week": 7}


class Bar(NamedTuple):
    """`at` in epoch ms of the tenant's clock, which runs unless it is `stopped`. `happened` are numbers of events by
    their names, None where nothing was moved."""

    at: int
    stopped: bool
    due: Item | None
    happened: Counter[str] | None


async def read_bar(ctx: Context, moved_from: str | None) -> Bar:
    """The bar of a sandbox tenant; `moved_from` is the place among its events at which somebody moved it."""
    assert ctx.scope
    due, happened = await asyncio.gather(agenda.first(ctx), happened_since(ctx, moved_from or ""))
    return Bar(ctx.now(), ctx.scope.clock.startswith("="), due, None if moved_from is None else happened)


def ahead(at: int, zone: str, step: Step) -> int:
    """A time a step after another (epoch ms), at the same time of day in a zone; the 31st is the last day of a month.

    >>> anchored(ahead(1706745599000, "America/Sao_Paulo", "month"), "America/Sao_Paulo").isoformat()
    '2024-02-29T20:59:59'
    """
    local = anchored(at, zone)
    if step == "month":
        return boundary(Anchor(local, zone), 1)
    return moment(local + timedelta(days=DAYS[step]), zone)
