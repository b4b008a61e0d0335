"""What the product asks its database, written down command by command; and a process that dies between two of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from veloflux.db.client import Db
from veloflux.errors import NotSent, Unknown

READS = frozenset({"EXISTS", "GET", "HEXISTS", "HGET", "HGETALL", "HKEYS", "HMGET", "TYPE", "XRANGE", "XREVRANGE"})
READS |= {"SMEMBERS", "ZCARD", "ZCOUNT", "ZRANGE", "ZREVRANGE", "ZSCORE", "PTTL", "STRLEN"}
Fate = Literal["dies", "loses_the_answer", "does_not_reach_redis"]


class Died(BaseException):
    """The process is gone: no `except Exception` sees it, and nothing is asked any more."""


class Tape:
    """Stands before a database's nodes. `commands` are those asked for; `waves` how often none was under way before."""

    def __init__(self, nodes: Any) -> None:
        self._nodes = nodes
        self._under_way = 0
        self.commands: list[tuple[str, ...]] = []
        self.waves = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._nodes, name)

    async def call(self, key: str, *args: Any) -> Any:
        self.commands.append(tuple(str(arg) for arg in args))
        self.waves += not self._under_way
        self._under_way += 1
        try:
            return await self._nodes.call(key, *args)
        finally:
            self._under_way -= 1

    def rewind(self) -> None:
        self.commands, self.waves = [], 0


class Cut(Tape):
    """Lets `count` changes pass; then fate strikes. A read changes nothing, so that dying after it is dying before."""

    def __init__(self, nodes: Any, count: int, fate: Fate) -> None:
        super().__init__(nodes)
        self._left = count
        self._fate = fate
        self.struck = False

    async def call(self, key: str, *args: Any) -> Any:
        if self.struck and self._fate == "dies":
            raise Died
        if args[0] in READS or self.struck or self._left:
            self._left -= args[0] not in READS and not self.struck
            return await super().call(key, *args)
        self.struck = True
        if self._fate == "dies":
            raise Died
        if self._fate == "does_not_reach_redis":
            raise NotSent("cut")
        await super().call(key, *args)
        raise Unknown("cut")


@contextmanager
def taped(db: Db) -> Iterator[Tape]:
    """All that a database is asked while the block runs."""
    with _before(db, Tape(db._nodes)) as tape:
        yield tape


@contextmanager
def cut(db: Db, count: int, fate: Fate) -> Iterator[Cut]:
    """While the block runs, so many changes reach the database; a death ends the block like its end."""
    with _before(db, Cut(db._nodes, count, fate)) as tape:
        try:
            yield tape
        except Died:
            assert tape.struck


@contextmanager
def _before(db: Db, tape: Any) -> Iterator[Any]:
    nodes, db._nodes = db._nodes, tape
    try:
        yield tape
    finally:
        db._nodes = nodes
