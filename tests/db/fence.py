"""A database for trying scripts: each call of one is made as an ACL user that owns only its declared keys, after it
was raced: made by several clients at once, and one after another, from the same state, with the same outcome."""

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tests import image
from veloflux.db import client
from veloflux.db.client import Db
from veloflux.db.scripts import Script

USER, PASSWORD = "fenced", "only-these-keys"
CALLS = 6
VARYING = re.compile(r"\d{12,}(?:\.\d+)?(?:-\d+)?")
"""Times and ids of stream entries."""


class FencedDb(Db):
    """`codes` are those that each script has answered."""

    def __init__(self, plain: Db, fenced: Sequence[Db]) -> None:
        super().__init__(plain.url, plain._nodes, None)
        self.codes: dict[str, set[str]] = defaultdict(set)
        self._plain = plain
        self._fenced = fenced

    async def script(self, script: Script, keys: Sequence[str], args: Sequence[Any]) -> Any:
        rules = ["on", f">{PASSWORD}", "resetkeys", *(f"~{key}" for key in keys), "&*", "+@all"]
        await self._plain.every_master("ACL", "SETUSER", USER, "reset", *rules)
        start = [await self._dump(key) for key in keys]
        in_turn = [await self._fenced[0].script(script, keys, args) for _ in range(CALLS)]
        after_turns = await self._state(keys)
        await self._restore(keys, start)
        at_once = await asyncio.gather(*(self._fenced[at % 2].script(script, keys, args) for at in range(CALLS)))
        assert _codes(at_once) == _codes(in_turn), script.name
        assert await self._state(keys) == after_turns, script.name
        await self._restore(keys, start)
        answer = await self._fenced[0].script(script, keys, args)
        self.codes[script.name].add(answer[0])
        return answer

    async def _dump(self, key: str) -> tuple[int, bytes] | None:
        text = await self._plain.call("DUMP", key)
        life = await self._plain.call("PTTL", key)
        return (max(life, 0), text.encode("utf-8", "surrogateescape")) if text else None

    async def _restore(self, keys: Sequence[str], dumps: Sequence[tuple[int, bytes] | None]) -> None:
        for key, dump in zip(keys, dumps, strict=True):
            if dump:
                await self._plain.call("RESTORE", key, *dump, "REPLACE")
            else:
                await self._plain.call("DEL", key)

    async def _state(self, keys: Sequence[str]) -> list[tuple[str, bool]]:
        found = await image.values(self._plain)
        return [(VARYING.sub("T", found.get(key, "")), await self._plain.call("PTTL", key) > 0) for key in keys]


@asynccontextmanager
async def fenced(db: Db) -> AsyncIterator[FencedDb]:
    """The same database, behind the fence."""
    await db.every_master("ACL", "SETUSER", USER, "reset", "on", f">{PASSWORD}", "&*", "+@all")
    url = db.url.replace("://", f"://{USER}:{PASSWORD}@")
    clients = [await client.connect(url) for _ in range(2)]
    try:
        yield FencedDb(db, clients)
    finally:
        for one in clients:
            await one.close()
        await db.every_master("ACL", "DELUSER", USER)


def _codes(answers: Sequence[list[Any]]) -> Counter[str]:
    return Counter(str(answer[0]) for answer in answers)
