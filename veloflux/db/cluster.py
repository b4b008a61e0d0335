"""A Redis Cluster: one lane a master, a table of slots, and the redirections.

MOVED, ASK, TRYAGAIN, CLUSTERDOWN and LOADING all mean "not executed", so a call that met one is repeated until its
deadline. (Redis Cluster specification, "Redirection and resharding".)
"""

import asyncio
from collections.abc import Callable
from typing import Any

from redis.exceptions import ResponseError

from veloflux.db.keys import SLOTS, slot
from veloflux.db.lane import Lane
from veloflux.errors import NotSent, Unavailable

LATER = frozenset({"TRYAGAIN", "CLUSTERDOWN", "LOADING", "MASTERDOWN"})
PAUSE_S = 0.02


class Cluster:
    """`open_lane(host, port)` makes a lane to one node; `deadline` in seconds covers a call with its redirections."""

    def __init__(self, open_lane: Callable[[str, int], Lane], seed: tuple[str, int], deadline: float) -> None:
        self._open_lane = open_lane
        self._seed = seed
        self._deadline = deadline
        self._lanes: dict[tuple[str, int], Lane] = {}
        self._slots: list[tuple[str, int] | None] = [None] * SLOTS
        self._refreshing: asyncio.Task[None] | None = None

    async def call(self, key: str, *args: Any) -> Any:
        """Send a command to the master that serves `key`."""
        at, asking = slot(key), False
        node: tuple[str, int] | None = None
        end = asyncio.get_running_loop().time() + self._deadline
        while True:
            node = node or self._slots[at] or await self._locate(at)
            try:
                return await self._lane(node).call(*args, asking=asking)
            except NotSent as error:
                why, rest = "AWAY", str(error)
            except ResponseError as error:
                why, _, rest = str(error).partition(" ")
            if why in ("MOVED", "ASK"):
                node, asking = _address(rest.split()[1], node[0]), why == "ASK"
                if not asking:
                    self._slots[at] = node
                continue
            if why not in LATER and why != "AWAY":
                raise ResponseError(f"{why} {rest}")
            if asyncio.get_running_loop().time() > end:
                raise NotSent(f"The cluster does not serve this key now: {why} {rest}")
            await asyncio.sleep(PAUSE_S)
            node, asking = None, False
            if why != "TRYAGAIN":
                await self._refresh()

    async def masters(self) -> list[Lane]:
        """A lane to each master."""
        await self._refresh()
        return [self._lane(node) for node in sorted({node for node in self._slots if node})]

    async def slots_by_master(self) -> list[tuple[Lane, tuple[int, ...]]]:
        """Each master with the slots that it serves now."""
        await self._refresh()
        served: dict[tuple[str, int], list[int]] = {}
        for at, node in enumerate(self._slots):
            if node:
                served.setdefault(node, []).append(at)
        return [(self._lane(node), tuple(slots)) for node, slots in served.items()]

    async def close(self) -> None:
        if self._refreshing:  # it may be opening another lane
            await asyncio.wait([self._refreshing])
        await asyncio.gather(*(lane.close() for lane in self._lanes.values()))

    def _lane(self, node: tuple[str, int]) -> Lane:
        if node not in self._lanes:
            self._lanes[node] = self._open_lane(*node)
        return self._lanes[node]

    async def _locate(self, at: int) -> tuple[str, int]:
        await self._refresh()
        return self._slots[at] or self._seed

    async def _refresh(self) -> None:
        """Read the table of slots; callers that come meanwhile share one reading."""
        if self._refreshing is None:
            self._refreshing = asyncio.ensure_future(self._read_slots())
            self._refreshing.add_done_callback(lambda _: setattr(self, "_refreshing", None))
        await asyncio.shield(self._refreshing)

    async def _read_slots(self) -> None:
        for node in [*self._lanes, self._seed]:
            try:
                ranges = await self._lane(node).call("CLUSTER", "SLOTS")
            except (Unavailable, ResponseError):
                continue
            for first, last, master, *_replicas in ranges:
                address = (master[0] or node[0], master[1])
                self._slots[first : last + 1] = [address] * (last + 1 - first)
            return


def _address(text: str, default_host: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host or default_host, int(port)
