"""Tell workers that owners have events: at most one message every few milliseconds, and nobody relies on it."""

import asyncio
import contextlib

from veloflux.db.client import Db
from veloflux.db.keys import WAKE_CHANNEL
from veloflux.errors import Unavailable

PAUSE_S = 0.005


class Waker:
    """Call it with an owner after a commit."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._owners: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    def __call__(self, owner: str) -> None:
        self._owners.add(owner)
        if self._task is None:
            self._task = asyncio.ensure_future(self._tell())

    async def _tell(self) -> None:
        await asyncio.sleep(PAUSE_S)
        owners, self._owners, self._task = self._owners, set(), None
        with contextlib.suppress(Unavailable):  # the workers' poll finds them
            await self._db.publish(WAKE_CHANNEL, " ".join(owners))
