"""Short-lived tokens, `vf_tok_<tenant>_<maker>_<secret>`, for the tenant's own front end.

A token may some of what its maker may: a secret API key of the tenant, a member, or who sits at the terminal. It is
judged by its maker at each use, whom it names, so that both are read at once: it ends with the key, with the
membership and with the account. The addresses of the key do not count, for the token is used elsewhere.
"""

import asyncio
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from veloflux import identity
from veloflux.context import PLATFORM, Actor, Context, Parts
from veloflux.db import keys
from veloflux.db.client import Db
from veloflux.errors import Conflict, InputInvalid, NotAuthenticated, NotFound, PermissionDenied
from veloflux.events import TokenCreated, TokenRevoked
from veloflux.kit import clock, crypto, ids
from veloflux.kit.pace import Standing, pace
from veloflux.kit.page import LIMIT, Page
from veloflux.tenants import store
from veloflux.tenants.model import NewToken, Token
from veloflux.tenants.permissions import OUTLASTING, held, own_roles
from veloflux.transaction import Transaction, decide

START = "vf_tok_"
FORM = re.compile(r"vf_tok_([0-9a-z]{1,26})_(?:(key|usr)([0-9a-z]{1,26})|cli)_([0-9a-z]{32})")
AT_TERMINAL = "cli:"
LIFE_S = 15 * 60
LIFE_MAX_S = 24 * 3600
SUBJECT_MAX = 100
PRUNED = 100


class Maker(NamedTuple):
    """What the maker of a token may now (`permissions` of the role, None: all), and since when, in epoch ms."""

    role: str
    permissions: tuple[str, ...] | None
    since: int


async def create_token(
    ctx: Context, permissions: Sequence[str], *, lifetime_s: int = LIFE_S, subject: str = ""
) -> NewToken:
    """Make a token; `subject` is the tenant's own word for whom it is made for, which the trail shows.

    :raises InputInvalid: the permissions, the life of at most a day, or the subject.
    :raises PermissionDenied: the maker has no role in this tenant itself, or lacks one of the permissions.
    :raises Conflict: it is the platform's own tenant.
    """
    if ctx.tenant == PLATFORM:
        raise Conflict("The platform's own tenant has no tokens")
    _check(permissions, lifetime_s, subject)
    await _require(ctx, permissions)
    secret, now = crypto.new_secret(), clock.now_ms()
    digest = crypto.digest(secret)
    token = Token(
        id=_token_id(digest),
        digest=digest,
        permissions=tuple(sorted(set(permissions))),
        subject=subject,
        made_by=ctx.actor.id,
        created_at=now,
        expires_at=now + 1000 * lifetime_s,
    )
    await _add(ctx, token, 1000 * lifetime_s)
    maker = "cli" if ctx.actor.id.startswith(AT_TERMINAL) else ctx.actor.id.replace("_", "")
    return NewToken(token=f"{START}{ids.bare(ctx.tenant)}_{maker}_{secret}", shown=token)


async def list_tokens(ctx: Context, cursor: str = "", limit: int = LIMIT) -> Page[Token]:
    """The tenant's tokens that are not over; first those that live longest. Their makers may be gone."""
    return await store.tokens_page(ctx, cursor, limit)


async def revoke_token(ctx: Context, token: str) -> None:
    """Refuse a token from now on.

    :raises NotFound: the tenant has no such token, or it is over. :raises PermissionDenied: it may more than the actor.
    """
    if not ids.is_id(token, "tok"):
        raise _no_token()
    await decide(lambda: _revoke(ctx, token))


def is_token(text: str) -> bool:
    """Whether a text says of itself that it is a short-lived token."""
    return text.startswith(START)


def named_by(text: str) -> tuple[str, str]:
    """The tenant and the id that a token says; nothing is known yet of whether they exist.

    :raises NotAuthenticated: it has not the form of a token.
    """
    form = _form(text)
    return f"ten_{form[1]}", _token_id(crypto.digest(form[4]))


async def authenticate_token(parts: Parts, text: str, address: str = "") -> Actor:
    """The actor that a token is, in one round trip; its permissions are those that its maker still has.

    :raises NotAuthenticated: there is no such token, it is over, was revoked, or its maker is gone.
    :raises LimitReached: it calls too often.
    """
    form = _form(text)
    tenant, digest = f"ten_{form[1]}", crypto.digest(form[4])
    made_by = f"{form[2]}_{form[3]}" if form[2] else AT_TERMINAL
    limit, place = pace(parts.settings.api_key_pace), keys.token(tenant, _token_id(digest))
    (token, ahead), maker = await asyncio.gather(
        store.run_authenticate(parts.db, Token, place, digest, limit), _maker(parts.db, tenant, made_by)
    )
    if token is None or maker is None or not _holds(token, digest, made_by, maker):
        raise _refused()
    own = frozenset(token.permissions)
    return Actor(
        id=token.id,
        address=address,
        tenant=tenant,
        role=maker.role,
        permissions=own if maker.permissions is None else own.intersection(maker.permissions),
        subject=token.subject,
        standing=Standing("key", limit, ahead),
    )


def _form(text: str) -> re.Match[str]:
    form = FORM.fullmatch(text)
    if form is None:
        raise _refused()
    return form


def _holds(token: Token, digest: str, made_by: str, maker: Maker) -> bool:
    is_the_makers = token.made_by == made_by or (made_by == AT_TERMINAL and token.made_by.startswith(AT_TERMINAL))
    is_living = maker.since <= token.created_at and clock.now_ms() < token.expires_at
    return is_the_makers and is_living and crypto.equal(token.digest, digest)


async def _maker(db: Db, tenant: str, id_: str) -> Maker | None:
    """What the maker may in the tenant itself; None: nothing any more."""
    if id_.startswith(AT_TERMINAL):
        return Maker("owner", None, 0)
    if ids.is_id(id_, "usr"):
        member, people = await asyncio.gather(store.find_member(db, tenant, id_), identity.find_users(db, [id_]))
        is_active = id_ in people and people[id_].status == "active"
        return Maker(member.role, None, member.joined_at) if member and is_active else None
    key = await store.find_api_key(db, tenant, id_) if ids.is_id(id_, "key") else None
    if key is None or key.status != "active" or key.kind != "secret":
        return None
    return Maker(key.role, key.permissions, 0) if clock.now_ms() < (key.expires_at or clock.LATEST) else None


def _check(permissions: Sequence[str], lifetime_s: int, subject: str) -> None:
    if not permissions:
        raise InputInvalid("Name at least one permission", field="permissions")
    if lasting := sorted(OUTLASTING.intersection(permissions)):
        raise InputInvalid(f"No token has {lasting[0]}: what it does would outlast it", field="permissions")
    if not 1 <= lifetime_s <= LIFE_MAX_S:
        raise InputInvalid(f"lifetime_s is a whole number of seconds from 1 to {LIFE_MAX_S}", field="lifetime_s")
    if len(subject) > SUBJECT_MAX or not subject.isprintable():
        raise InputInvalid(f"subject has at most {SUBJECT_MAX} characters, all on one line", field="subject")


async def _require(ctx: Context, permissions: Iterable[str]) -> None:
    maker = await _maker(ctx.db, ctx.tenant, ctx.actor.id)
    if maker is None:
        raise PermissionDenied("Only a member of this tenant, or one of its secret API keys, makes tokens for it")
    may = held(maker.role, maker.permissions, own_roles(ctx))
    if lacking := sorted(set(permissions) - may):
        raise PermissionDenied(f"You cannot give {lacking[0][:60]!r}, which you do not have yourself")


async def _add(ctx: Context, token: Token, life_ms: int) -> None:
    over = await store.tokens_over(ctx.db, ctx.tenant, token.created_at, PRUNED)
    path = keys.token(ctx.tenant, token.id)
    tx = Transaction(ctx, ctx.tenant)
    tx.create(path, token)
    tx.expire(path, life_ms)
    tx.rank(keys.tokens(ctx.tenant), token.id, token.expires_at)
    if over:
        tx.unrank(keys.tokens(ctx.tenant), *over)
    tx.event(TokenCreated(token=token.id, made_by=token.made_by))
    await tx.commit()


async def _revoke(ctx: Context, id_: str) -> None:
    token = await store.find_token(ctx.db, ctx.tenant, id_)
    if token is None:
        raise _no_token()
    if not ctx.permissions.issuperset(token.permissions):
        raise PermissionDenied("Only who may do everything that the token may can revoke it")
    tx = Transaction(ctx, ctx.tenant)
    tx.remove(keys.token(ctx.tenant, id_), token)
    tx.unrank(keys.tokens(ctx.tenant), id_)
    tx.event(TokenRevoked(token=id_))
    await tx.commit()


def _token_id(digest: str) -> str:
    return ids.derived("tok", digest)


def _no_token() -> NotFound:
    return NotFound("This tenant has no such token, or it is over")


def _refused() -> NotAuthenticated:
    return NotAuthenticated("This token is not valid: it never was, is over, was revoked, or its maker is gone")
