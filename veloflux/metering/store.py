"""The keys of usage: written by one script; read many at a time, each batch in one round trip."""

import asyncio
from collections.abc import Sequence
from typing import Any

from veloflux.db import keys, scripts
from veloflux.db.client import Db

RECORD = scripts.load("metering", "record")
PRUNE = scripts.load("metering", "prune")
READS = 100
BATCH = 500

Command = tuple[Any, ...]


async def run_record(db: Db, names: Sequence[str], args: Sequence[Any]) -> list[Any]:
    """One call of the record script, which recognises its repetition by the events' ids."""
    answer: list[Any] = await db.bulk.repeat(RECORD, names, args)
    return answer


async def days_with_usage(db: Db, tenant: str, first: int | None, last: int | None) -> list[tuple[str, str]]:
    """Meter and UTC date of each day with usage, oldest first; bounds are day numbers since 1970."""
    members = await db.call(
        "ZRANGEBYSCORE",
        keys.usage_days(tenant),
        "-inf" if first is None else first,
        "+inf" if last is None else last,
    )
    return [(meter, on) for meter, _, on in (member.partition(":") for member in members)]


async def totals(db: Db, tenant: str, meter: str, months: Sequence[str]) -> list[int | None]:
    """The total of each month (`YYYY-MM` in the tenant's zone); None: nothing is kept of it."""
    found: list[int | None] = []
    for start in range(0, len(months), READS):
        names = [keys.total(tenant, meter, month) for month in months[start : start + READS]]
        texts = await asyncio.gather(*(db.call("HGET", name, "sum") for name in names))
        found += [None if text is None else int(text) for text in texts]
    return found


async def seen_sizes(db: Db, tenant: str) -> dict[str, int]:
    """How many buckets each generation of seen events has."""
    answer = await db.call("HGETALL", keys.limits(tenant))
    state = dict(zip(answer[::2], answer[1::2], strict=True))
    return {name.removeprefix("seen:"): int(size) for name, size in state.items() if name.startswith("seen:")}


async def all_of(db: Db, commands: Sequence[Command]) -> list[Any]:
    """The answers of many reading commands, in order."""
    found: list[Any] = []
    for at in range(0, len(commands), BATCH):
        found += await asyncio.gather(*(db.call(*command) for command in commands[at : at + BATCH]))
    return found


async def hashes(db: Db, names: Sequence[str]) -> list[dict[str, str]]:
    """Each hash; an empty one where there is none."""
    return [
        dict(zip(pairs[::2], pairs[1::2], strict=True)) for pairs in await all_of(db, [("HGETALL", n) for n in names])
    ]


async def policy(db: Db, tenant: str) -> str | None:
    """The text of a tenant's compiled policy; None: there is no such tenant."""
    text: str | None = await db.call("HGET", keys.limits(tenant), "policy")
    return text


async def closed_through(db: Db, tenant: str) -> int | None:
    """Epoch ms until which usage is invoiced; None: nothing is."""
    text = await db.call("HGET", keys.limits(tenant), "closed_through")
    return int(text) if text else None


async def groups(db: Db, tenant: str, meter: str) -> dict[str, str]:
    """Each group of a meter: its digest, and the JSON array of its values."""
    [found] = await hashes(db, [keys.groups(tenant, meter)])
    return found


async def first_fields(db: Db, names: Sequence[str], *fields: str) -> list[list[str | None]]:
    """These fields of each hash."""
    return await all_of(db, [("HMGET", name, *fields) for name in names])


async def union(db: Db, names: Sequence[str]) -> int:
    """How many members these sets have together."""
    members: list[str] = await db.call("SUNION", *names)
    return len(members)


async def estimated_union(db: Db, names: Sequence[str]) -> int:
    """About how many values these HyperLogLogs have seen together."""
    number: int = await db.call("PFCOUNT", *names)
    return number


async def days_before(db: Db, tenant: str, day: int) -> list[str]:
    """`meter:date` of the days with usage before a day, as number since 1970."""
    members: list[str] = await db.call("ZRANGEBYSCORE", keys.usage_days(tenant), "-inf", f"({day}")
    return members


async def prune(db: Db, tenant: str, members: Sequence[str], kept: Sequence[Sequence[str]]) -> int:
    """Take those of the members out of the index of days none of whose keys is there; how many."""
    names = [keys.usage_days(tenant), *(name for names in kept for name in names)]
    _, number = await db.repeat(PRUNE, names, [len(kept[0]), *members])
    return int(number)
