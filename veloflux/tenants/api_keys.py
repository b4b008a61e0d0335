"""API keys: `vf_live_<tenant>_<secret>`, `vf_test_…` for a sandbox, `vf_pub_…` for a page (see publishable.py).

Shown once, kept as a digest, revocable.

The keys of the platform's tenant are the operators' service keys.
"""

import asyncio
import re

import msgspec

from veloflux.context import PLATFORM, Actor, Context, Parts
from veloflux.db import keys
from veloflux.errors import Conflict, InputInvalid, NotAuthenticated, NotFound
from veloflux.events import ApiKeyCreated, ApiKeyRevoked, ApiKeyRotated
from veloflux.kit import clock, crypto, ids
from veloflux.kit.pace import Standing, pace
from veloflux.kit.page import LIMIT, Page
from veloflux.kit.text import one_line
from veloflux.plans import read_catalogue
from veloflux.tenants import holders, key_terms, store, tokens
from veloflux.tenants.find import find
from veloflux.tenants.model import ApiKey, KeyKind, KeyTerms, NewApiKey, Tenant
from veloflux.tenants.permissions import head_role, held, own_roles, require_grantable, require_role
from veloflux.transaction import Transaction, decide

TOKEN = re.compile(r"vf_(?:live|test)_([0-9a-z]{1,26})_([0-9a-z]{32})")
SHOWN = 4
OVERLAP_MAX_S = 30 * clock.DAY_MS // 1000
USED_MS = clock.MINUTE_MS
WITHOUT = KeyTerms()
RECORDING = ("usage:write",)
REFUSED = "This API key is not valid here: it never was, has expired, was revoked, or is not for this address"
NAME_MAX = 80


async def create_api_key(
    ctx: Context, name: str, role: str = "", terms: KeyTerms = WITHOUT, kind: KeyKind = "secret"
) -> NewApiKey:
    """Make a key; its role is member unless another one is named (operator in the platform's tenant).

    :raises InputInvalid: the name, the role or the terms. :raises PermissionDenied: the key may more than the actor.
    """
    role = role or ("member" if head_role(ctx.tenant) == "owner" else "operator")
    require_role(ctx, role)
    terms = _of_kind(ctx, kind, role, terms)
    meters = (await read_catalogue(ctx.db)).meters if terms.rates else ()
    terms = key_terms.checked(held(role, None, own_roles(ctx)), terms, clock.now_ms(), meters)
    require_grantable(ctx, role, terms.permissions)
    tenant = await find(ctx, ctx.tenant)
    new = _new(ctx, tenant, name, role, terms, kind=kind)
    tx = Transaction(ctx, tenant.id)
    holders.guard(ctx, tx)
    _add(tx, new.key)
    tx.event(ApiKeyCreated(key=new.key.id, role=role))
    await tx.commit()
    return new


async def rotate_api_key(ctx: Context, key: str, overlap_s: int = 0) -> NewApiKey:
    """Make a successor with the same name, role and terms; the key itself ends after the overlap, at once with 0.

    :raises InputInvalid: the overlap is not from 0 to 30 days. :raises NotFound: the tenant has no such key.
    :raises PermissionDenied: the key may more than the actor. :raises Conflict: it is over, or has a successor.
    """
    if not 0 <= overlap_s <= OVERLAP_MAX_S:
        raise InputInvalid(f"overlap_s is a whole number of seconds from 0 to {OVERLAP_MAX_S}", field="overlap_s")
    if not ids.is_id(key, "key"):
        raise _no_key()
    return await decide(lambda: _rotate(ctx, key, overlap_s))


async def list_api_keys(ctx: Context, cursor: str = "", limit: int = LIMIT) -> Page[ApiKey]:
    """The tenant's keys, revoked ones too, newest first."""
    return await store.api_keys_page(ctx, cursor, limit)


async def find_api_key(ctx: Context, key: str) -> ApiKey:
    """One of the tenant's keys. :raises NotFound: it has no such key."""
    found = await store.find_api_key(ctx.db, ctx.tenant, key)
    if found is None:
        raise _no_key()
    return found


async def revoke_api_key(ctx: Context, key: str) -> ApiKey:
    """Refuse a key from now on; revoking it again changes nothing.

    :raises NotFound: the tenant has no such key. :raises PermissionDenied: the key may more than the actor.
    """
    if not ids.is_id(key, "key"):
        raise _no_key()
    return await decide(lambda: _revoke(ctx, key))


def parse_api_key(token: str) -> tuple[str, str, str]:
    """Tenant, id and digest that a key's token says; nothing is known yet of whether they exist.

    :raises NotAuthenticated: it has not the form of a key.
    """
    parsed = TOKEN.fullmatch(token)
    if parsed is None:
        raise _refused()
    digest = digest_of("secret", parsed[2])
    return f"ten_{parsed[1]}", key_id(digest), digest


def named_by(token: str) -> tuple[str, str]:
    """The tenant and the id that a secret key or a token says; nothing is known yet of whether they exist.

    :raises NotAuthenticated: it has the form of neither.
    """
    return tokens.named_by(token) if tokens.is_token(token) else parse_api_key(token)[:2]


async def authenticate_api_key(parts: Parts, token: str, address: str = "") -> Actor:
    """The actor that a key's token is, in one round trip, and a second one once a minute to note that it is used; or
    that a short-lived token is.

    :raises NotAuthenticated: there is no such key, it was revoked, has expired, or is not for this address.
    :raises LimitReached: it calls too often.
    """
    if tokens.is_token(token):
        return await tokens.authenticate_token(parts, token, address)
    tenant, id_, digest = parse_api_key(token)
    limit = pace(parts.settings.api_key_pace)
    key, ahead = await store.run_authenticate(parts.db, ApiKey, keys.api_key(tenant, id_), digest, limit)
    if key is None or key.status != "active" or not crypto.equal(key.digest, digest):
        raise _refused()
    if not token.startswith(key.prefix) or not key_terms.hold(key, address, clock.now_ms()):
        raise _refused()
    if clock.now_ms() - (key.used_at or 0) >= USED_MS:
        await store.run_note_use(parts.db, tenant, id_)
    own = None if key.permissions is None else frozenset(key.permissions)
    return Actor(
        id=key.id,
        address=address,
        tenant=tenant,
        role=key.role,
        permissions=own,
        standing=Standing("key", limit, ahead),
    )


def key_id(digest: str) -> str:
    """The id that a key has from the digest of its secret."""
    return ids.derived("key", digest)


def digest_of(kind: KeyKind, secret: str) -> str:
    """What is kept of a key's secret; the kind is a part of it, so that no key passes for one of the other kind."""
    return crypto.digest(secret if kind == "secret" else f"{kind} {secret}")


def _of_kind(ctx: Context, kind: KeyKind, role: str, terms: KeyTerms) -> KeyTerms:
    """The terms of a key of this kind, not yet checked."""
    if kind == "secret":
        if terms.origins:
            raise InputInvalid("Only a publishable key is for pages, and has origins", field="origins")
        return terms
    if ctx.tenant == PLATFORM or role != "member" or terms.permissions not in (None, RECORDING):
        raise InputInvalid("A publishable key may record events of a tenant; it has no other role", field="kind")
    return msgspec.structs.replace(terms, permissions=RECORDING)


def _new(ctx: Context, tenant: Tenant, name: str, role: str, terms: KeyTerms, *, kind: KeyKind) -> NewApiKey:
    secret = crypto.new_secret()
    digest = digest_of(kind, secret)
    beginning = "pub" if kind == "publishable" else "live" if tenant.mode == "live" else "test"
    start = f"vf_{beginning}_{ids.bare(tenant.id)}_"
    key = ApiKey(
        id=key_id(digest),
        name=one_line(name, "A key's name", NAME_MAX),
        prefix=start + secret[:SHOWN],
        digest=digest,
        role=role,
        kind=kind,
        **msgspec.structs.asdict(terms),
        created_by=ctx.actor.id,
        created_at=clock.now_ms(),
    )
    return NewApiKey(key=key, token=start + secret)


def _add(tx: Transaction, key: ApiKey) -> None:
    tx.create(keys.api_key(tx.owner, key.id), key)
    tx.rank(keys.api_keys(tx.owner), key.id, key.created_at)
    holders.hold(tx, key.role, key.id)


async def _rotate(ctx: Context, id_: str, overlap_s: int) -> NewApiKey:
    old, tenant = await asyncio.gather(store.find_api_key(ctx.db, ctx.tenant, id_), find(ctx, ctx.tenant))
    if old is None:
        raise _no_key()
    require_grantable(ctx, old.role, old.permissions)
    now = clock.now_ms()
    if old.successor or old.status != "active" or (old.expires_at and old.expires_at <= now):
        raise Conflict("This API key was rotated or revoked, or has expired; rotate its successor, or create a new key")
    new = _new(ctx, tenant, old.name, old.role, key_terms.of(old), kind=old.kind)
    tx = Transaction(ctx, tenant.id)
    holders.guard(ctx, tx)
    _add(tx, new.key)
    ending = tx.change(keys.api_key(tenant.id, id_), old, _ending(old, new.key.id, now, overlap_s))
    if ending.status == "revoked":
        holders.release(tx, old.role, id_)
    tx.event(ApiKeyRotated(key=id_, successor=new.key.id))
    await tx.commit()
    return new


def _ending(key: ApiKey, successor: str, now: int, overlap_s: int) -> ApiKey:
    if overlap_s == 0:
        return msgspec.structs.replace(key, successor=successor, status="revoked", revoked_at=now)
    end = now + overlap_s * 1000
    return msgspec.structs.replace(key, successor=successor, expires_at=min(key.expires_at or end, end))


async def _revoke(ctx: Context, id_: str) -> ApiKey:
    key = await store.find_api_key(ctx.db, ctx.tenant, id_)
    if key is None:
        raise _no_key()
    require_grantable(ctx, key.role, key.permissions)
    if key.status == "revoked":
        return key
    path = keys.api_key(ctx.tenant, id_)
    tx = Transaction(ctx, ctx.tenant)
    holders.guard(ctx, tx)
    holders.release(tx, key.role, id_)
    revoked = tx.change(path, key, msgspec.structs.replace(key, status="revoked", revoked_at=clock.now_ms()))
    tx.event(ApiKeyRevoked(key=id_))
    await tx.commit()
    return revoked


def _no_key() -> NotFound:
    return NotFound("This tenant has no such API key")


def _refused() -> NotAuthenticated:
    return NotAuthenticated(REFUSED)
