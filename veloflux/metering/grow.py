"""More buckets for a tenant's seen events: a few at a time, by whoever finds that they are getting full.

Nothing depends on it: a caller that dies before it leaves full buckets, which the next one splits.
"""

import asyncio
from contextlib import suppress

from veloflux.db import keys
from veloflux.db.client import Db
from veloflux.errors import VeloFluxError
from veloflux.metering import store
from veloflux.metering.known import Known
from veloflux.metering.program import seen_key
from veloflux.metering.seen import Seen, parent

SPLITS_MAX = 16
"""At once: a millisecond of Redis or two."""
SHARE = 16
"""Growth waits until this part of the buckets is wanted, as all callers must learn each new state."""

_growing: set[asyncio.Task[None]] = set()


def grow_later(db: Db, tenant: str, state: Known, full: int) -> None:
    """After a call that found so many buckets full: split as many, if they make a step. Nobody waits for it, so that
    Redis splits while this process prepares what comes next."""
    state.full += full
    if state.full < _step(state) or not state.seen.number:
        return
    number, state.full = min(state.full, SPLITS_MAX), 0
    task = asyncio.create_task(_grow(db, tenant, state, number))
    _growing.add(task)
    task.add_done_callback(_growing.discard)


async def _grow(db: Db, tenant: str, state: Known, number: int) -> None:
    with suppress(VeloFluxError):  # the next one that finds them full asks again
        await split(db, tenant, state, number)


async def make_room(db: Db, tenant: str, state: Known, knew: Seen) -> None:
    """After the code GROW: at most twice the buckets, unless somebody has split some since `knew` was asked with."""
    if state.seen == knew:
        await split(db, tenant, state, min(state.seen.buckets, SPLITS_MAX))


async def split(db: Db, tenant: str, state: Known, number: int) -> None:
    """Make so many new buckets, or learn the state that another process has brought about.

    :raises Unavailable: Redis is away; safe to repeat.
    """
    old = state.seen
    new = old._replace(buckets=old.buckets + number)
    pairs = [at for child in range(old.buckets, new.buckets) for at in (parent(child), child)]
    names = [seen_key(tenant, old.number, at) for at in pairs]
    # Calls leave in order: who composes one from now on does it for the new state.
    state.seen = new
    code, text = await store.run_split(db, [keys.limits(tenant), *names], old.text)
    if code == "ROLL":
        state.learn_seen(text)


def _step(state: Known) -> int:
    return min(max(state.seen.buckets // SHARE, 1), SPLITS_MAX)
