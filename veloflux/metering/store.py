"""The keys of usage: written by one script; read many at a time, each batch in one round trip."""

from collections.abc import Sequence
from typing import Any

from veloflux.db import keys, scripts
from veloflux.db.client import Db
from veloflux.metering.seen import Seen

RECORD = scripts.load("metering", "record")
SPLIT = scripts.load("metering", "split")
OPEN_PERIODS = scripts.load("metering", "open_periods")
KEEP = scripts.load("metering", "keep")
PRUNE = scripts.load("metering", "prune")
STANDING = scripts.load("metering", "standing")
READS = 100
BATCH = 500

Command = tuple[Any, ...]


async def run_record(db: Db, names: Sequence[str], args: Sequence[Any]) -> list[Any]:
    """One call of the record script, which recognises its repetition by the events' ids."""
    answer: list[Any] = await db.bulk.repeat(RECORD, names, args)
    return answer


async def run_split(db: Db, names: Sequence[str], knew: str) -> list[str]:
    """One call of the split script, which recognises its repetition by the state that it changes."""
    answer: list[str] = await db.bulk.repeat(SPLIT, names, [knew])
    return answer


async def run_open_periods(db: Db, names: Sequence[str], args: Sequence[Any]) -> None:
    """One call of the script that opens counters; whoever finds that they are not open asks again."""
    await db.script(OPEN_PERIODS, names, args)


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
        texts = await db.calls([("HGET", name, "sum") for name in names])
        found += [None if text is None else int(text) for text in texts]
    return found


async def used_of(db: Db, key: str, first: int | None, last: int | None) -> int:
    """What a usage day has from its quarter `first` to its quarter `last`, or the total of a month, without them."""
    if first is None or last is None:
        return int(await db.call("HGET", key, "sum") or 0)
    found = await db.call("HMGET", key, *range(first, last + 1))
    return sum(int(amount) for amount in found if amount)


async def paid_of(db: Db, counted: str) -> int:
    """What credits paid of a quota's period."""
    return int(await db.call("HGET", counted, "paid") or 0)


async def read_seen(db: Db, tenant: str) -> Seen:
    """The state of the seen events."""
    return Seen.read(await db.call("HGET", keys.limits(tenant), "seen") or "")


async def run_keep(db: Db, tenant: str, limit: int, life_ms: int, events: Sequence[bytes]) -> str:
    """Keep events as they came; the answer's code. Not to be repeated: it would keep them twice."""
    answer = await db.bulk.script(KEEP, [keys.limits(tenant), keys.raw(tenant)], [limit, life_ms, *events])
    return str(answer[0])


async def run_standing(db: Db, names: Sequence[str], field: str) -> list[Any]:
    """One call of the script that reads a meter's whole life beside its segments."""
    answer: list[Any] = await db.repeat(STANDING, names, [field])
    return answer


async def raw_before(db: Db, tenant: str, place: str, count: int) -> list[tuple[str, str]]:
    """The kept events before a place (`""` from the end), newest first: place and text."""
    rows = await db.call("XREVRANGE", keys.raw(tenant), f"({place}" if place else "+", "-", "COUNT", count)
    return [(id_, fields[1]) for id_, fields in rows]


async def raw_after(db: Db, tenant: str, place: str, count: int) -> list[tuple[str, str]]:
    """The kept events after a place, oldest first: place and text."""
    rows = await db.call("XRANGE", keys.raw(tenant), f"({place}", "+", "COUNT", count)
    return [(id_, fields[1]) for id_, fields in rows]


async def keys_of_usage(db: Db, tenant: str) -> list[str]:
    """All keys of a tenant that this slice has written."""
    names = await db.bulk.scan(f"{keys.tenant(tenant)}:*")
    return [name for name in names if (entry := keys.entry_of(name)) and entry.slice == "metering"]


async def all_of(db: Db, commands: Sequence[Command]) -> list[Any]:
    """The answers of many reading commands, in order."""
    found: list[Any] = []
    for at in range(0, len(commands), BATCH):
        found += await db.calls(commands[at : at + BATCH])
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


async def limits_fields(db: Db, tenant: str, fields: Sequence[str]) -> list[str | None]:
    """Fields of the limits hash."""
    found: list[str | None] = await db.call("HMGET", keys.limits(tenant), *fields) if fields else []
    return found


async def closed_through(db: Db, tenant: str) -> int | None:
    """Epoch ms until which usage is invoiced; None: nothing is."""
    text = await db.call("HGET", keys.limits(tenant), "closed_through")
    return int(text) if text else None


async def closed_and_policy(db: Db, tenant: str) -> tuple[int | None, str | None]:
    """Epoch ms until which usage is invoiced, and the text of the policy; each None where there is none."""
    closed, text = await db.call("HMGET", keys.limits(tenant), "closed_through", "policy")
    return int(closed) if closed else None, text


async def groups(db: Db, tenant: str, meter: str) -> dict[str, str]:
    """Each group of a meter: its digest, and the JSON array of its values."""
    [found] = await hashes(db, [keys.groups(tenant, meter)])
    return found


async def fields(db: Db, name: str) -> list[str]:
    """The names of a hash's fields."""
    found: list[str] = await db.call("HKEYS", name)
    return found


async def forget_fields(db: Db, name: str, gone: Sequence[str]) -> int:
    """Take fields out of a hash; how many were there."""
    return int(await db.call("HDEL", name, *gone)) if gone else 0


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
