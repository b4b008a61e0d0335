"""The keys that a check touches, and the script calls that decide it."""

import asyncio
import functools
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from veloflux.context import Parts
from veloflux.db import documents, keys, ranking, scripts
from veloflux.db.client import Db
from veloflux.kit.network import customer_network
from veloflux.limits.frame import Frame, Rates
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

_encode = msgspec.msgpack.Encoder().encode

OVER_AT_ONCE = 1_000
NO_MARK, NO_LEASE = bytes(8), (0, 0, "")

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


class Part(NamedTuple):
    """What a call has of one question: check, dry or reserve, and its cost in the places of the meter."""

    asked: Question
    what: str
    amount: int
    lease: Lease | None


def part_of(asking: Asking, lease: Lease | None) -> Part:
    """With a lease it reserves. Without a meter, or about a feature that the plan lacks, it counts nothing.

    :raises InputInvalid: the cost is finer than the meter.
    """
    _, _, frame, asked = asking
    lacks = asked.feature and not frame.features.get(asked.feature)
    dry = asked.dry_run or lacks or not asked.meter
    amount = frame.amount(asked.cost) if asked.meter and frame.version else 0
    return Part(asked, "reserve" if lease else "dry" if dry else "check", amount, lease)


def check_of(parts: Parts, asking: Asking, rates: Rates, addresses: str, questions: Sequence[Part]) -> Call:
    """What the check script is asked; all but their parts the questions share with the first of them, `asking`."""
    tenant, state, frame, asked = asking
    known, fresh = state.seen_now(len(questions))
    key, digest = asked.key or ("", "")
    names = [
        frame.limits,
        _api_key(tenant, key) if key else frame.limits,
        *frame.heads,
        frame.leases,
        *frame.tails,
    ]
    placed: dict[str, int] = {}

    def place(name: str) -> int:
        if name not in placed:
            names.append(name)
            placed[name] = len(names)
        return placed[name]

    marks = _marks(seen.marker(parts.secrets.of("seen"), tenant), questions)

    def in_buckets(generation: int, buckets: int) -> list[int]:
        found = zip(questions, seen.places(marks, buckets), strict=True)
        return [place(seen_key(tenant, generation, bucket)) if part.asked.id else 0 for part, bucket in found]

    told = (
        [part.amount for part in questions],
        [_content(part.lease is not None, part.asked.meter, part.asked.cost) for part in questions],
        in_buckets(known.number, known.buckets),
        in_buckets(known.number - 1, known.before) if known.before else (),
        [place(_address_key(parts, tenant, part.asked.address)) for part in questions] if rates.of_address else (),
        [part.what for part in questions] if any(part.what != "check" for part in questions) else (),
        [_lease(place, tenant, part) for part in questions] if any(part.lease for part in questions) else (),
    )
    args = [
        frame.version,
        digest,
        MAY_CHECK,
        *frame.time_args,
        addresses,
        state.seen.text,
        fresh,
        state.policy.seen_ms,
        rates.own,
        frame.reserved_field,
        frame.day_member,
        frame.meter_key,
        key or "anonymous",
        tenant,
        _encode(told),
        marks,
        *rates.args,
    ]
    return names, args


def _marks(marker: seen.Marker, questions: Iterable[Part]) -> bytes:
    return b"".join([marker.mark(asked.source, asked.id) if asked.id else NO_MARK for asked, *_ in questions])


@functools.lru_cache(maxsize=16_384)
def _content(reserves: bool, meter: str, cost: float) -> int:
    return seen.of_check(f"{'reserve ' if reserves else ''}{meter} {cost}".encode())


def _lease(place: Callable[[str], int], tenant: str, part: Part) -> tuple[int, int, str]:
    if not part.lease:
        return NO_LEASE
    id_, life_ms = part.lease
    return place(keys.reservation(tenant, id_)), life_ms, f"{id_}|{part.amount}"


def settle_of(asking: Asking, reservation: str, status: str, amount: int) -> Call:
    """What the script is asked that commits or releases; of the question count its key and address."""
    tenant, state, frame, asked = asking
    key, digest = asked.key or ("", "")
    names = [
        frame.limits,
        _api_key(tenant, key) if key else frame.limits,
        *frame.heads,
        frame.leases,
        keys.reservation(tenant, reservation),
        *frame.tails,
    ]
    args = [
        frame.version,
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
        *frame.count_args,
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


async def granted(db: Db, tenant: str, field: str) -> str | None:
    """How many grants of a meter there have been."""
    found: str | None = await db.call("HGET", keys.limits(tenant), field)
    return found


def _address_key(parts: Parts, tenant: str, address: str) -> str:
    """The key of an address."""
    text = customer_network(address)
    digest = hashlib.blake2b(text.encode(), digest_size=16, key=parts.secrets.of("address")).hexdigest()
    return keys.address_limit(tenant, digest)
