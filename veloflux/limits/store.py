"""The keys that a check touches, and the script calls that decide it."""

import asyncio
import functools
import hashlib
from collections.abc import Awaitable, Iterable
from typing import Any, NamedTuple

from veloflux.context import Parts
from veloflux.db import documents, keys, ranking, scripts
from veloflux.db.client import Db
from veloflux.kit.network import customer_network
from veloflux.limits.frame import Frame
from veloflux.limits.grant import Grant, Instance, read_instance
from veloflux.limits.model import Question
from veloflux.metering import seen
from veloflux.metering.known import Known
from veloflux.metering.program import seen_key
from veloflux.tenants import ROLES

CHECK = scripts.load("limits", "check")
SETTLE = scripts.load("limits", "settle")
MAY_CHECK = " ".join(["", *(role for role, permissions in ROLES.items() if "usage:write" in permissions), ""]).encode()
_api_key = functools.lru_cache(maxsize=16_384)(keys.api_key)

OVER_AT_ONCE = 1_000

Call = tuple[list[str], list[Any]]
"""KEYS and ARGV of a script."""
Lease = tuple[str, int]
"""Id of a reservation, and how long it is held, in ms."""


class Asking(NamedTuple):
    """A question, with what is known of its tenant."""

    tenant: str
    state: Known
    frame: Frame
    asked: Question


def call_of(parts: Parts, asking: Asking, lease: Lease | None = None, *, dry: bool = False) -> Call:
    """What the check script is asked; with a lease it reserves."""
    tenant, state, frame, asked = asking
    (number, _, buckets, before, _), fresh = state.seen_now(1)
    at, earlier, identity, content = 0, 0, b"", 0
    if asked.id:
        identity = seen.marker(parts.secrets.of("seen"), tenant).mark(asked.source, asked.id)
        [at] = seen.places(identity, buckets)
        [earlier] = seen.places(identity, before) if before else [0]
        what = f"{asked.meter} {asked.cost}" if lease is None else f"reserve {asked.meter} {asked.cost}"
        content = seen.of_check(what.encode())
    key, digest = asked.key or ("", "")
    own = state.rates_of(key)
    rates = frame.rates_for(asked, own)
    limits, amount = frame.limits, frame.amount(asked.cost) if asked.meter and state.version else 0
    names = [
        limits,
        _api_key(tenant, key) if key else limits,
        _address_key(parts, tenant, asked.address) if rates.of_address else limits,
        *frame.heads,
        seen_key(tenant, number, at),
        seen_key(tenant, number - 1, earlier) if before else limits,
        frame.minutes,
        frame.leases,
        keys.reservation(tenant, lease[0]) if lease else limits,
        *frame.tails,
    ]
    args = [
        state.version,
        digest,
        MAY_CHECK,
        *frame.time_args,
        state.addresses_for(key, asked.used_from),
        state.seen.text,
        fresh,
        state.policy.seen_ms,
        identity,
        content,
        amount,
        own,
        "dry" if dry else "reserve" if lease else "check",
        frame.reserved_field,
        frame.day_member,
        lease[1] if lease else 0,
        f"{lease[0]}|{amount}" if lease else b"",
        frame.meter_key,
        key or "anonymous",
        tenant,
        *rates.args,
    ]
    return names, args


def settle_of(asking: Asking, reservation: str, status: str, amount: int) -> Call:
    """What the script is asked that commits or releases; of the question count its key and address."""
    tenant, state, frame, asked = asking
    key, digest = asked.key or ("", "")
    names = [
        frame.limits,
        _api_key(tenant, key) if key else frame.limits,
        *frame.heads,
        frame.minutes,
        frame.leases,
        keys.reservation(tenant, reservation),
        *frame.tails,
    ]
    args = [
        state.version,
        digest,
        MAY_CHECK,
        *frame.time_args,
        state.addresses_for(key, asked.used_from),
        status,
        amount,
        frame.meter_key,
        frame.reserved_field,
        frame.day_member,
        reservation,
        key or "anonymous",
        tenant,
        len(frame.quotas),
        *frame.open_args,
        *frame.quota_args,
    ]
    return names, args


def run_check(parts: Parts, call: Call) -> Awaitable[list[Any]]:
    """Decide and count; the codes are the script's."""
    return parts.db.script(CHECK, *call)


def run_settle(parts: Parts, call: Call) -> Awaitable[list[Any]]:
    """Commit or release; the codes are the script's."""
    return parts.db.script(SETTLE, *call)


async def read_policy(db: Db, tenant: str) -> str | None:
    """The text of a tenant's compiled policy; None: there is no such tenant."""
    text: str | None = await db.call("HGET", keys.limits(tenant), "policy")
    return text


async def read_extras(db: Db, asking: Asking) -> tuple[int, dict[str, int]]:
    """The credits left of a meter now, in its places, and how often each limit in the shadow would have refused."""
    state, taken = asking.state, asking.frame
    own = state.rates_of(asking.asked.key[0] if asking.asked.key else "")
    names = [f"rate:{rate.name}" for rate in taken.rates_for(asking.asked, own).limits if rate.shadow]
    names += [span.label for span in taken.quotas if span.quota.shadow]
    counts = await db.call("HMGET", taken.limits, *(f"watched:{name}" for name in names)) if names else []
    grants = await db.call("HVALS", keys.credit_state(asking.tenant, taken.meter.key)) or []
    now, left = state.now(), 0
    for grant in grants:
        _, rest, _, starts, expires = grant.split("|")
        if int(starts) <= now and (not expires or now < int(expires)):
            left += int(rest)
    return left, {name: int(count or 0) for name, count in zip(names, counts, strict=True)}


async def note_near(db: Db, member: str, percent: int, end: int | None) -> None:
    """A quota has reached so many percent, in a period that ends at `end` (epoch ms); the higher one stays."""
    await db.call("ZADD", keys.near_limits_ends(), "+inf" if end is None else end, member)
    await db.call("ZADD", keys.near_limits(), "GT", percent, member)


async def nearest(db: Db, count: int) -> list[tuple[str, int]]:
    """The members of which most is used, and the highest threshold of each."""
    flat = await db.call("ZRANGE", keys.near_limits(), 0, count - 1, "REV", "WITHSCORES")
    return [(member, int(float(percent))) for member, percent in zip(flat[::2], flat[1::2], strict=True)]


async def forget_over(db: Db, now: int) -> None:
    """Take out what ended before a time; a thousand at most, the next call takes more."""
    over = await db.call("ZRANGE", keys.near_limits_ends(), "-inf", now, "BYSCORE", "LIMIT", 0, OVER_AT_ONCE)
    await _forget(db, over)


async def forget_near(db: Db, tenant: str) -> None:
    """Take out what is of a tenant."""
    cursor = "0"
    while True:
        cursor, flat = await db.call("ZSCAN", keys.near_limits_ends(), cursor, "MATCH", f"{tenant}/*", "COUNT", 1_000)
        await _forget(db, flat[::2])
        if cursor == "0":
            return


async def _forget(db: Db, members: list[str]) -> None:
    if members:
        await db.call("ZREM", keys.near_limits(), *members)
        await db.call("ZREM", keys.near_limits_ends(), *members)


async def used_of(db: Db, counted: str) -> int:
    """What a quota's period has used, in the places of its meter."""
    total, paid = await db.call("HMGET", counted, "sum", "paid")
    return int(total or 0) - int(paid or 0)


async def keys_of_limits(db: Db, tenant: str) -> list[str]:
    """All keys of a tenant that this slice has written."""
    names = await db.bulk.scan(f"{keys.tenant(tenant)}:*")
    return [name for name in names if (entry := keys.entry_of(name)) and entry.slice == "limits"]


async def find_grant(db: Db, tenant: str, grant: str) -> Grant | None:
    return documents.from_pairs(Grant, await db.call("HGETALL", keys.grant(tenant, grant)))


async def grants_page(db: Db, tenant: str, cursor: str, limit: int) -> tuple[list[Grant], str | None]:
    """Grants, newest first, and the cursor of the next page."""
    found, following = await ranking.newest(db, keys.grants(tenant), cursor, limit)
    return await find_grants(db, tenant, found), following


async def find_grants(db: Db, tenant: str, grants: Iterable[str]) -> list[Grant]:
    """Those that there are."""
    found = await asyncio.gather(*(find_grant(db, tenant, one) for one in grants))
    return [one for one in found if one]


async def has_grants_due(db: Db, tenant: str) -> bool:
    """Whether something will ever be to do about one."""
    return bool(await db.call("EXISTS", keys.grants_due(tenant)))


async def grants_due(db: Db, tenant: str, now: int) -> list[str]:
    """Grants about which something is to be done at a time of the tenant's clock."""
    found: list[str] = await db.call("ZRANGE", keys.grants_due(tenant), "-inf", now, "BYSCORE")
    return found


async def instances(db: Db, tenant: str, meter_key: str) -> list[Instance]:
    """What a meter's checks can burn, with what is left."""
    pairs = await db.call("HGETALL", keys.credit_state(tenant, meter_key))
    return [read_instance(*pair) for pair in zip(pairs[::2], pairs[1::2], strict=True)]


async def leases(db: Db, tenant: str, meter_key: str, since: int, count: int) -> list[tuple[str, int]]:
    """Reservations with their amounts, as the set has them, and until when they are held: all that end at `since`, and
    then `count` that end later, as far as there are; times in epoch ms."""
    key = keys.leases(tenant, meter_key)
    ties = await db.call("ZCOUNT", key, since, since)
    rows = await db.call("ZRANGE", key, since, "+inf", "BYSCORE", "LIMIT", 0, ties + count, "WITHSCORES")
    return [(member, int(score)) for member, score in zip(rows[::2], rows[1::2], strict=True)]


async def granted(db: Db, tenant: str, field: str) -> str | None:
    """How many grants of a meter there have been."""
    found: str | None = await db.call("HGET", keys.limits(tenant), field)
    return found


def _address_key(parts: Parts, tenant: str, address: str) -> str:
    """The key of an address."""
    text = customer_network(address)
    digest = hashlib.blake2b(text.encode(), digest_size=16, key=parts.secrets.of("address")).hexdigest()
    return keys.address_limit(tenant, digest)
