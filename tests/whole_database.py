"""All that a database holds, to look for what must not be there."""

import re
from typing import Any

from veloflux.db.client import Db

READ = """
local read = {
  string = function(key) return redis.call('GET', key) end,
  hash = function(key) return redis.call('HGETALL', key) end,
  zset = function(key) return redis.call('ZRANGE', key, 0, -1, 'WITHSCORES') end,
  set = function(key) return redis.call('SMEMBERS', key) end,
  stream = function(key) return redis.call('XRANGE', key, '-', '+') end,
}
local found = {}
for at, key in ipairs(redis.call('KEYS', '*')) do
  local kind = redis.call('TYPE', key).ok
  found[at] = {key, kind, read[kind](key)}
end
return found
"""
"""Every key of a server with its type and value, at one moment and in one round trip."""


async def read(db: Db) -> list[tuple[str, str, Any]]:
    """Each key with its type and value."""
    return [(key, kind, value) for found in await db.every_master("EVAL", READ, 0) for key, kind, value in found]


async def contents(db: Db) -> dict[str, str]:
    """Each key with its value as text."""
    return {key: repr(value) for key, _, value in await read(db)}


async def settled(db: Db) -> dict[str, str]:
    """The same, without how often and when an API key was last used, and without raw events, written a moment later."""
    found = {key: value for key, value in (await contents(db)).items() if not key.endswith(":raw")}
    return {key: re.sub(r", '(used_at|pace)', '\d+'", "", value) for key, value in found.items()}


async def keys_holding(db: Db, text: Any) -> set[str]:
    """The keys whose name or value contains a text."""
    return {key for key, value in (await contents(db)).items() if str(text) in key or str(text) in value}
