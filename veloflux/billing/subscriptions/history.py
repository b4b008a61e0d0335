"""What happened to a subscription, or since a moment: read from the tenant's events, which the commits wrote."""

import re
from collections import Counter

from veloflux.context import Context
from veloflux.db import streams
from veloflux.events import Recorded

CHUNK = 200
LOOKED_AT_MAX = 2_000
PLACE = re.compile(r"[0-9]{1,16}-[0-9]{1,16}")


async def history(ctx: Context, subscription: str) -> list[Recorded]:
    """The events of a subscription among the tenant's newest 2,000, the newest first."""
    found, place = list[Recorded](), ""
    for _ in range(LOOKED_AT_MAX // CHUNK):
        chunk = await streams.before(ctx.db, ctx.tenant, place, CHUNK)
        found += [event for event in chunk if event.data.get("subscription") == subscription]
        if len(chunk) < CHUNK:
            break
        place = chunk[-1].id
    return found


async def newest_place(ctx: Context) -> str:
    """Where the tenant's events end now, for `happened_since`; "" if there are none."""
    newest = await streams.before(ctx.db, ctx.tenant, "", 1)
    return newest[0].id if newest else ""


async def happened_since(ctx: Context, place: str) -> Counter[str]:
    """How many events of each name came after a place, of the first 2,000; none after what is no place."""
    found = Counter[str]()
    for _ in range(LOOKED_AT_MAX // CHUNK if PLACE.fullmatch(place) else 0):
        chunk = await streams.after(ctx.db, ctx.tenant, place, CHUNK)
        found.update(event.name for event in chunk)
        if len(chunk) < CHUNK:
            break
        place = chunk[-1].id
    return found
