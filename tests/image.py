"""An image of a whole database: to hold another one against, and to put everything back."""

import asyncio
import re
from typing import NamedTuple

from tests import whole_database
from veloflux.db.client import Db

MOVING = (
    re.compile(r"vf:workers|vf:poll_lease"),
    re.compile(r".*:attempts(:.*)?|vf:attempts:.*|vf:pace:.*"),
)
"""Keys that even who is refused moves: attempts and calls are counted, workers tell each other that they live."""
DUMP = """
local found = {}
for at, key in ipairs(redis.call('KEYS', '*')) do
  found[at] = {key, redis.call('DUMP', key), math.max(redis.call('PTTL', key), 0)}
end
return found
"""
STAMPS = re.compile(r"\('(?:used_at|seen_at|pace)', '\d+'\)(?:, )?")
"""When a key was last used and a session last seen, and how often."""


class Image(NamedTuple):
    """By key: what can be read, and what RESTORE takes, with the milliseconds that it still lives (0: for ever)."""

    values: dict[str, str]
    dumps: dict[str, tuple[str, int]]

    @property
    def settled(self) -> dict[str, str]:
        """The values, without what may move."""
        return {
            key: STAMPS.sub("", value)
            for key, value in self.values.items()
            if not any(pattern.fullmatch(key) for pattern in MOVING)
        }


async def values(db: Db) -> dict[str, str]:
    """Each key with its value as text."""
    found = await whole_database.read(db)
    return {name: repr(_fields(value) if kind == "hash" else value) for name, kind, value in found}


async def take(db: Db) -> Image:
    found = await values(db)
    dumps = {name: (dump, life) for dumped in await db.every_master("EVAL", DUMP, 0) for name, dump, life in dumped}
    kept = [name for name in found if name in dumps]  # the others are gone meanwhile
    return Image({name: found[name] for name in kept}, {name: dumps[name] for name in kept})


async def put_back(db: Db, image: Image) -> None:
    """Make a database what it was when the image was taken."""
    now = await values(db)
    gone = [name for name in now if name not in image.values]
    changed = [name for name, value in image.values.items() if now.get(name) != value]
    await asyncio.gather(*(db.call("DEL", name) for name in gone))
    await asyncio.gather(
        *(
            db.call("RESTORE", name, life, dump.encode("utf-8", "surrogateescape"), "REPLACE")
            for name, (dump, life) in ((name, image.dumps[name]) for name in changed)
        )
    )


def differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """What differs, a line a key."""
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return [f"{name}: {before.get(name)} -> {after.get(name)}" for name in names]


def _fields(pairs: list[str]) -> list[tuple[str, str]]:
    return sorted(zip(pairs[::2], pairs[1::2], strict=True))
