"""The walk over the keys of an owner, and of what others keep of a person."""

from typing import Any

from veloflux.db import clearing, keys
from veloflux.db.client import Db
from veloflux.db.keys import Entry

READ = {
    "string": ("GET",),
    "hash": ("HGETALL",),
    "zset": ("ZRANGE", 0, -1, "WITHSCORES"),
    "set": ("SMEMBERS",),
    "stream": ("XRANGE", "-", "+"),
}
PAIRS = ("hash", "zset")


async def keys_of(db: Db, owner: str) -> list[tuple[str, Entry]]:
    """All keys in an owner's slot with what the registry says of them."""
    own = keys.owner(owner)
    names = [own, *await db.bulk.scan(f"{own}:*")]
    return described(names)


async def keys_elsewhere(db: Db, user: str) -> list[tuple[str, Entry]]:
    """The keys of tenants whose name has a person's id in it."""
    of_tenants = keys.entry("tenant").pattern
    entries = [e for e in keys.registry() if e.pattern.startswith(f"{of_tenants}:") and "<user>" in e.pattern]
    return described([name for entry in entries for name in await db.bulk.scan(entry.glob(user=user))])


async def value_of(db: Db, name: str, entry: Entry) -> Any:
    """What a key holds, without what an export leaves out; None when it is gone."""
    command, *args = READ[entry.type]
    value = await db.bulk.call(str(command), name, *args)
    if entry.type not in PAIRS:
        return value
    pairs = dict(zip(value[::2], value[1::2], strict=True))
    return {field: text for field, text in pairs.items() if field not in entry.rule.without} or None


async def clear(db: Db, user: str, kept: set[str]) -> None:
    """Delete those keys of a person that the registry lets go, but for some."""
    names = [name for name, entry in await keys_of(db, user) if entry.rule.end == "deleted" and name not in kept]
    await clearing.clear_keys(db, user, names)


def described(names: list[str]) -> list[tuple[str, Entry]]:
    """Keys with what the registry says of them."""
    return [(name, entry) for name in names if (entry := keys.entry_of(name))]
