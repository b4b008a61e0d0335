"""All that a database holds, to look for what must not be there."""

import re
from typing import Any

from veloflux.db.client import Db

READ = {
    "string": lambda key: ("GET", key),
    "hash": lambda key: ("HGETALL", key),
    "zset": lambda key: ("ZRANGE", key, 0, -1, "WITHSCORES"),
    "set": lambda key: ("SMEMBERS", key),
    "stream": lambda key: ("XRANGE", key, "-", "+"),
}


async def contents(db: Db) -> dict[str, str]:
    """Each key with its value as text."""
    found: dict[str, str] = {}
    for keys in await db.every_master("KEYS", "*"):
        for key in keys:
            kind = await db.call("TYPE", key)
            if kind != "none":  # gone meanwhile
                command, *args = READ[kind](key)
                found[key] = repr(await db.call(command, *args))
    return found


async def settled(db: Db) -> dict[str, str]:
    """The same, without how often and when an API key was last used, and without raw events, written a moment later."""
    found = {key: value for key, value in (await contents(db)).items() if not key.endswith(":raw")}
    return {key: re.sub(r", '(used_at|pace)', '\d+'", "", value) for key, value in found.items()}


async def keys_holding(db: Db, text: Any) -> set[str]:
    """The keys whose name or value contains a text."""
    return {key for key, value in (await contents(db)).items() if str(text) in key or str(text) in value}
