"""The keys that a check touches, and the one script call that decides it."""

import functools
import hashlib
from collections.abc import Awaitable
from typing import Any

from veloflux.context import Parts
from veloflux.db import keys, scripts
from veloflux.db.client import Db
from veloflux.kit.network import customer_network
from veloflux.limits.frame import Frame
from veloflux.limits.model import Question
from veloflux.metering import seen
from veloflux.metering.known import Known
from veloflux.metering.program import seen_key
from veloflux.tenants import ROLES

CHECK = scripts.load("limits", "check")
MAY_CHECK = " ".join(["", *(role for role, permissions in ROLES.items() if "usage:write" in permissions), ""])
_api_key = functools.lru_cache(maxsize=16_384)(keys.api_key)


def run_check(parts: Parts, tenant: str, state: Known, frame: Frame, asked: Question) -> Awaitable[list[Any]]:
    """Decide and count; the codes are the script's."""
    return parts.db.script(CHECK, *call_of(parts, tenant, state, frame, asked))


def call_of(parts: Parts, tenant: str, state: Known, frame: Frame, asked: Question) -> tuple[list[str], list[Any]]:
    """KEYS and ARGV of the script."""
    (number, _, buckets, before, _), fresh = state.seen_now(1)
    at, earlier, identity, content = 0, 0, b"", 0
    if asked.id:
        identity = seen.marker(parts.secrets.of("seen"), tenant).mark(asked.source, asked.id)
        [at] = seen.places(identity, buckets)
        [earlier] = seen.places(identity, before) if before else [0]
        content = seen.of_check(f"{asked.meter} {asked.cost}".encode())
    key, digest = asked.key or ("", "")
    rates = frame.rates_for(asked)
    names = [
        frame.limits,
        _api_key(tenant, key) if key else frame.limits,
        _address_key(parts, tenant, asked.address) if rates.of_address else frame.limits,
        frame.usage,
        frame.total,
        frame.usage_days,
        seen_key(tenant, number, at),
        seen_key(tenant, number - 1, earlier) if before else frame.limits,
    ]
    args = [
        state.version,
        digest,
        MAY_CHECK,
        *frame.time_args,
        state.seen.text,
        fresh,
        state.policy.seen_ms,
        identity,
        content,
        asked.cost * frame.scale,
        *frame.meter_args,
        *rates.args,
        state.addresses_for(key, asked.address),
    ]
    return names, args


async def read_policy(db: Db, tenant: str) -> str | None:
    """The text of a tenant's compiled policy; None: there is no such tenant."""
    text: str | None = await db.call("HGET", keys.limits(tenant), "policy")
    return text


def _address_key(parts: Parts, tenant: str, address: str) -> str:
    """The key of an address."""
    text = customer_network(address)
    digest = hashlib.blake2b(text.encode(), digest_size=16, key=parts.secrets.of("address")).hexdigest()
    return keys.address_limit(tenant, digest)
