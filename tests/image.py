"""An image of a whole database: to hold another one against, and to put everything back."""

import asyncio
import re
from typing import NamedTuple

from tests.whole_database import READ
from veloflux.db.client import Db

MOVING = (
    re.compile(r"vf:workers|vf:poll_lease"),
    re.compile(r".*:attempts(:.*)?|vf:attempts:.*|vf:pace:.*"),
)
"""Keys that even who is refused moves: attempts and calls are counted, workers tell each other that they live."""
GONE = -2
"""What PTTL says of a key that is no more."""
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
    found = [name for names in await db.every_master("KEYS", "*") for name in names]
    kinds = zip(found, await asyncio.gather(*(db.call("TYPE", name) for name in found)), strict=True)
    there = [(name, kind) for name, kind in kinds if kind != "none"]  # gone meanwhile
    read = await asyncio.gather(*(db.call(*READ[kind](name)) for name, kind in there))
    shown = zip(there, read, strict=True)
    return {name: repr(_fields(value) if kind == "hash" else value) for (name, kind), value in shown}


async def take(db: Db) -> Image:
    found = await values(db)
    dumps = await asyncio.gather(*(db.call("DUMP", name) for name in found))
    lives = await asyncio.gather(*(db.call("PTTL", name) for name in found))
    kept = {
        name: (dump, max(life, 0))
        for name, dump, life in zip(found, dumps, lives, strict=True)
        if dump is not None and life != GONE
    }
    return Image({name: found[name] for name in kept}, kept)


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
