"""Every Redis key: one function each, whose docstring is its entry in the registry (`docs/data-layout.md`).

The line reads `type | life | slice | meaning`. Nobody else spells a key. In braces stands the owner, so that all of one
tenant's (or one person's) data shares one slot of a cluster. A part that could leave its place in a key (`:`, `{`, `}`)
is refused here, before Redis is asked.
"""

import binascii
import functools
import inspect
import re
import sys
from collections.abc import Callable
from typing import NamedTuple

from veloflux.errors import IdInvalid, NameInvalid
from veloflux.kit.ids import ID

SLOTS = 16_384
WAKE_CHANNEL = "vf:wake"
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
DATE = re.compile(r"\d{4}-\d\d(?:-\d\d)?")


class Entry(NamedTuple):
    """One row of the registry."""

    name: str
    pattern: str
    type: str
    life: str
    slice: str
    meaning: str


class _Placeholder(str):
    """Stands for a part while the registry is printed."""

    __slots__ = ()


def _id(part: str) -> str:
    if not ID.fullmatch(part) and not isinstance(part, _Placeholder):
        raise IdInvalid(f"{part[:60]!r} is not an id")
    return part


def _name(part: str) -> str:
    if not NAME.fullmatch(part) and not isinstance(part, _Placeholder):
        raise NameInvalid(f"{part[:60]!r} is not a name: a letter, then letters, digits and _, all small, at most 64")
    return part


def _date(part: str) -> str:
    if not DATE.fullmatch(part) and not isinstance(part, _Placeholder):
        raise NameInvalid(f"{part[:60]!r} is not a date")
    return part


_remembered = functools.lru_cache(10_000, typed=True)  # a placeholder is no owner's id, though it may equal one


def slot(key: str) -> int:
    """The cluster slot of a key, 0 to 16,383 (CRC-16/XMODEM of the hash tag; Redis Cluster specification).

    >>> slot("foo"), slot("x{foo}y")
    (12182, 12182)
    """
    start = key.find("{")
    end = key.find("}", start + 1) if start >= 0 else -1
    return binascii.crc_hqx((key[start + 1 : end] if end > start + 1 else key).encode(), 0) % SLOTS


@functools.cache
def tags() -> tuple[str, ...]:
    """For each slot the smallest number that hashes to it: the hash tag of that slot's due set."""
    found: dict[int, str] = {}
    number = 0
    while len(found) < SLOTS:
        found.setdefault(binascii.crc_hqx(str(number).encode(), 0) % SLOTS, str(number))
        number += 1
    return tuple(found[at] for at in range(SLOTS))


# The installation


def meta() -> str:
    """hash | no ttl | db | version of the data, id of the installation"""
    return "vf:meta"


def name(kind: str, digest: str) -> str:
    """string | no ttl | db | claim on a global name (e-mail, slug): JSON of owner, token, since, state"""
    return f"vf:name:{_name(kind)}:{_id(digest)}"


@_remembered
def due(owner: str) -> str:
    """zset | no ttl | worker | when to look at an owner's events, or to run its job; one set a cluster slot"""
    return f"vf:due:{{{owner}}}" if isinstance(owner, _Placeholder) else due_of_slot(slot(_id(owner)))


def due_of_slot(at: int) -> str:
    """The due set of all owners whose keys are in a slot."""
    return f"vf:due:{{{tags()[at]}}}"


def workers() -> str:
    """zset | no ttl | worker | workers by the time they were last seen"""
    return "vf:workers"


def poll_lease() -> str:
    """string | 5 seconds | worker | which worker polls all due sets"""
    return "vf:poll_lease"


def attempts_from(form: str, place: str) -> str:
    """hash | 1 hour | identity | attempts at a public form from one address"""
    return f"vf:attempts:{_name(form)}:{{{_id(place)}}}"


def users() -> str:
    """zset | no ttl | identity | every person by the time of registration; kept from events"""
    return "vf:users"


def tenants() -> str:
    """zset | no ttl | tenants | every tenant that is in use, by the time of creation; kept from events"""
    return "vf:tenants"


def tenants_archived() -> str:
    """zset | no ttl | tenants | tenants that are archived or wait for deletion, by creation; kept from events"""
    return "vf:tenants:archived"


def jobs_dead() -> str:
    """zset | no ttl | worker | dead jobs of all owners, `owner/job`, by the time of death; kept from events"""
    return "vf:jobs:dead"


def owners_stopped() -> str:
    """zset | no ttl | worker | owners whose events wait for an ordered handler that fails, by the time they stopped"""
    return "vf:outbox:stopped"


# Any owner: a tenant or a person


@_remembered
def owner(owner: str) -> str:
    """hash | no ttl | tenants, identity | the owner's own document, which also carries its names"""
    kind = "user" if owner.startswith(("usr_", "<user>")) else "tenant|user" if owner == "<owner>" else "tenant"
    return f"vf:{kind}:{{{_id(owner)}}}"


def events(owner_: str) -> str:
    """stream | no ttl | audit | the owner's events in order: audit trail and outbox in one"""
    return f"{owner(owner_)}:events"


def done(owner_: str, commit: str) -> str:
    """string | 10 minutes | db | ids of the events of a commit that is done, for its replay"""
    return f"{owner(owner_)}:done:{_id(commit)}"


def outbox(owner_: str) -> str:
    """hash | no ttl | worker | cursor: the last event handled; failures: how often the next one failed; stopped: by"""
    return f"{owner(owner_)}:outbox"


def effect(owner_: str, effect: str) -> str:
    """string | 30 days | worker | an event of another owner has taken effect here: not a second time"""
    return f"{owner(owner_)}:effect:{_id(effect)}"


def fence(owner_: str, token: str) -> str:
    """string | 1 day | db | a claim on a name that may no longer be committed"""
    return f"{owner(owner_)}:fence:{_id(token)}"


def job(owner_: str, job: str) -> str:
    """hash | no ttl, deleted when done | worker | kind, payload, state, attempts, run_at, last error"""
    return f"{owner(owner_)}:job:{_id(job)}"


def jobs(owner_: str) -> str:
    """zset | no ttl | worker | the owner's jobs, waiting and dead, by the time they were made"""
    return f"{owner(owner_)}:jobs"


def data_key(owner_: str, subject: str) -> str:
    """string | no ttl | audit | key, wrapped, of the personal data of a person or invitation; its end is the erasure"""
    return f"{owner(owner_)}:data_key:{_id(subject)}"


# A person


def user(user: str) -> str:
    """hash | no ttl | identity | name, e-mail, password hash, status, session epoch"""
    return owner(user)


def registration(user_: str) -> str:
    """hash | 1 day | identity | who signed up: name, e-mail, password hash; until the address is confirmed"""
    return f"{user(user_)}:registration"


def reset_link(user_: str, link: str) -> str:
    """hash | 1 hour | identity | a link that sets a new password: the session epoch in which it counts"""
    return f"{user(user_)}:reset_link:{_id(link)}"


def session(user_: str, session: str) -> str:
    """hash | 14 days idle, 90 absolute | identity | one log-in; its id is derived from the SHA-256 of its secret"""
    return f"{user(user_)}:session:{_id(session)}"


def sessions(user_: str) -> str:
    """zset | no ttl | identity | a person's sessions by the time of log-in"""
    return f"{user(user_)}:sessions"


def known_places(user_: str) -> str:
    """zset | no ttl | identity | digests of the addresses and devices a person signed in from, by the last time"""
    return f"{user(user_)}:places"


def attempts_here(user_: str, form: str, place: str) -> str:
    """hash | 1 hour | identity | attempts at a public form for a person, or for nobody, from one address"""
    return f"{user(user_)}:attempts:{_name(form)}:{_id(place)}"


def attempts_elsewhere(user_: str, form: str) -> str:
    """hash | 1 hour | identity | attempts at a public form for a person, or for nobody, from unknown addresses"""
    return f"{user(user_)}:attempts:{_name(form)}"


def user_tenants(user_: str) -> str:
    """hash | no ttl | tenants | tenant -> role; kept from events, authorises nothing"""
    return f"{user(user_)}:tenants"


# A tenant


def tenant(tenant: str) -> str:
    """hash | no ttl | tenants | slug, name, plan, zone, currency, language, mode, status"""
    return owner(tenant)


def setup(tenant_: str) -> str:
    """string | 1 hour | tenants | SHA-256 of the one-time link that creates the operator"""
    return f"{tenant(tenant_)}:setup"


def member(tenant_: str, user_: str) -> str:
    """hash | no ttl | tenants | a person's role in the tenant: the only place that decides it"""
    return f"{tenant(tenant_)}:member:{_id(user_)}"


def members(tenant_: str) -> str:
    """zset | no ttl | tenants | a tenant's members by the time they joined"""
    return f"{tenant(tenant_)}:members"


def invitation(tenant_: str, invitation: str) -> str:
    """hash | no ttl | tenants | e-mail, role, status, expiry"""
    return f"{tenant(tenant_)}:invitation:{_id(invitation)}"


def invitations(tenant_: str) -> str:
    """zset | no ttl | tenants | invitations by the time they were made"""
    return f"{tenant(tenant_)}:invitations"


def api_key(tenant_: str, api_key: str) -> str:
    """hash | no ttl | tenants | name, prefix, SHA-256 of the secret, role, status, permissions, expiry, addresses"""
    return f"{tenant(tenant_)}:api_key:{_id(api_key)}"


def api_keys(tenant_: str) -> str:
    """zset | no ttl | tenants | API keys by the time they were made"""
    return f"{tenant(tenant_)}:api_keys"


def oidc(tenant_: str) -> str:
    """hash | no ttl | tenants | sign-in provider: issuer, client, sealed secret, claims, role of each group, domains"""
    return f"{tenant(tenant_)}:oidc"


def oidc_identity(tenant_: str, identity: str) -> str:
    """hash | no ttl | tenants | whose account it is whom the provider knows; id derived from issuer and subject"""
    return f"{tenant(tenant_)}:oidc_identity:{_id(identity)}"


def oidc_identities(tenant_: str) -> str:
    """zset | no ttl | tenants | a tenant's linked identities by the time they were linked"""
    return f"{tenant(tenant_)}:oidc_identities"


def oidc_link(tenant_: str, link: str) -> str:
    """hash | 1 hour | tenants | a first sign-in that waits for its address to confirm it: identity, e-mail, name"""
    return f"{tenant(tenant_)}:oidc_link:{_id(link)}"


def oidc_state(tenant_: str, state: str) -> str:
    """string | 10 minutes | tenants | a way back from the provider that was taken: not a second time"""
    return f"{tenant(tenant_)}:oidc_state:{_id(state)}"


def schedule(tenant_: str, schedule: str) -> str:
    """hash | no ttl | worker | next_at of a schedule"""
    return f"{tenant(tenant_)}:schedule:{_name(schedule)}"


def limits(tenant_: str) -> str:
    """hash | no ttl | limits | compiled policy, its version, status, clock, and the state of each rate limit"""
    return f"{tenant(tenant_)}:limits"


def address_limit(tenant_: str, digest: str) -> str:
    """string | until the limit is whole again | limits | state of the rate limit of one address"""
    return f"{tenant(tenant_)}:address:{_id(digest)}"


def usage_days(tenant_: str) -> str:
    """zset | no ttl | metering | `meter:date` of each day with usage, by day number since 1970"""
    return f"{tenant(tenant_)}:usage"


def usage(tenant_: str, meter: str, date: str) -> str:
    """hash | 90 days from the first event recorded | metering | usage of a UTC day, one field a quarter of an hour"""
    return f"{tenant(tenant_)}:usage:{_name(meter)}:{_date(date)}"


def total(tenant_: str, meter: str, month: str) -> str:
    """string | 400 days from the first event recorded | metering | usage of a month in the tenant's zone, for quotas"""
    return f"{tenant(tenant_)}:total:{_name(meter)}:{_date(month)}"


def seen(tenant_: str, generation: str, bucket: str) -> str:
    """hash | 70 days | metering | events already counted: 6 bytes of a keyed digest -> 2 bytes of their content's"""
    return f"{tenant(tenant_)}:seen:{_id(generation)}:{_id(bucket)}"


def registry() -> list[Entry]:
    """Every key of the product, in the order of this file."""
    module = sys.modules[__name__]
    functions = (inspect.unwrap(f) for _, f in inspect.getmembers(module, inspect.isroutine))
    found = [f for f in functions if (f.__doc__ or "").count(" | ") == 3]
    found.sort(key=lambda f: f.__code__.co_firstlineno)
    return [_entry(f) for f in found]


def _entry(function: Callable[..., str]) -> Entry:
    parts = [_Placeholder(f"<{parameter.rstrip('_')}>") for parameter in inspect.signature(function).parameters]
    type_, life, slice_, meaning = (inspect.getdoc(function) or "").split(" | ")
    return Entry(function.__name__, function(*parts), type_, life, slice_, meaning)
