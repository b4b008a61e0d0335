"""How often anybody may call VeloFlux itself: by session, by API key, and by address who did not say who they are."""

import math

from veloflux.context import Parts
from veloflux.errors import LimitReached
from veloflux.identity import attempts, store
from veloflux.kit.pace import MICROSECONDS, Pace, Standing, pace


async def admit_address(parts: Parts, address: str) -> Standing:
    """Count a call from an address that nobody signed for.

    :raises LimitReached: too many of them.
    """
    limit = pace(parts.settings.address_pace)
    code, micros = await store.run_pace(parts.db, attempts.place(parts, address), limit)
    if code == "RATE":
        raise too_fast("address", limit, micros)
    return Standing("address", limit, micros)


def too_fast(name: str, limit: Pace, wait_us: int) -> LimitReached:
    """What is told to who calls too often under the limit of a name; `wait_us` until the next call may come."""
    wait_s = max(math.ceil(wait_us / MICROSECONDS), 1)
    standing = Standing(name, limit, limit.tolerance)
    return LimitReached(f"Too many calls; repeat in {wait_s} s", retry_after=wait_s, refused_by=name, standing=standing)
