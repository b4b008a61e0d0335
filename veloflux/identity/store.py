"""People and sessions as they lie in Redis."""

import asyncio
import hmac
from collections.abc import Iterable, Sequence
from typing import Any

from veloflux.context import Context
from veloflux.db import documents, keys, names, scripts
from veloflux.db.client import Db
from veloflux.db.names import Name
from veloflux.errors import NotFound
from veloflux.identity.email_address import EmailAddress
from veloflux.identity.factors_model import Passkey, RecoveryCodes, SignInChallenge, Totp
from veloflux.identity.model import EmailChange, Registration, ResetLink, Session, User
from veloflux.kit import ids
from veloflux.kit.pace import Pace

ATTEMPT = scripts.load("identity", "attempt")
UNCOUNT = scripts.load("identity", "uncount")
AUTHENTICATE = scripts.load("identity", "authenticate")
PACE = scripts.load("identity", "pace")
NOBODY = "usr_0"
SESSIONS_SHOWN = 100
LAST = "\U0010ffff"
"""Comes after every character that can follow a prefix."""


def email_digest(ctx: Context, address: EmailAddress) -> str:
    """What stands for an address wherever the address itself must not: 64 hex digits."""
    return hmac.digest(ctx.parts.secrets.of("email"), address.same.encode(), "sha256").hex()


def email_name(digest: str) -> Name:
    return Name("email", digest, field="email_digest")


async def run_authenticate(db: Db, user: str, session: str, idle_ms: int, pace: Pace) -> list[Any]:
    """Who a session is, in one round trip; the codes are the script's."""
    names = [keys.user(user), keys.session(user, session)]
    answer: list[Any] = await db.script(AUTHENTICATE, names, [idle_ms, *pace])
    return answer


async def run_pace(db: Db, place: str, pace: Pace) -> tuple[str, int]:
    """Count a call from a place; the codes are the script's."""
    code, micros = await db.script(PACE, [keys.pace(place)], list(pace))
    return code, int(micros)


async def find_user(db: Db, user: str) -> User | None:
    return documents.from_pairs(User, await db.call("HGETALL", keys.user(user)))


async def read_user(db: Db, user: str) -> User:
    """:raises NotFound: there is no such person."""
    found = await find_user(db, user)
    if found is None:
        raise NotFound("There is no such person")
    return found


async def read_living(db: Db, user: str) -> User:
    """:raises NotFound: there is no such person, or no longer."""
    found = await find_user(db, user) if ids.is_id(user, "usr") else None
    if found is None or found.status == "erased":
        raise NotFound("There is no such person")
    return found


async def find_by_email(ctx: Context, address: EmailAddress) -> User | None:
    """The person with an address; as many round trips when there is none."""
    digest = email_digest(ctx, address)
    claimant = await names.claimant(ctx.db, email_name(digest))
    user = await find_user(ctx.db, claimant or NOBODY)
    return user if user and user.email_digest == digest else None


async def find_users(db: Db, users: Iterable[str]) -> dict[str, User]:
    """The people with these ids, without those that are gone."""
    found = await asyncio.gather(*(find_user(db, user) for user in users))
    return {user.id: user for user in found if user}


async def find_registration(db: Db, user: str) -> Registration | None:
    return documents.from_pairs(Registration, await db.call("HGETALL", keys.registration(user)))


async def find_reset_link(db: Db, user: str, link: str) -> ResetLink | None:
    return documents.from_pairs(ResetLink, await db.call("HGETALL", keys.reset_link(user, link)))


async def find_email_change(db: Db, user: str) -> EmailChange | None:
    return documents.from_pairs(EmailChange, await db.call("HGETALL", keys.email_change(user)))


async def find_session(db: Db, user: str, session: str) -> Session | None:
    return documents.from_pairs(Session, await db.call("HGETALL", keys.session(user, session)))


async def session_ids(db: Db, user: str) -> list[str]:
    """A person's latest sessions, newest first; some may be over."""
    return list(await db.call("ZREVRANGE", keys.sessions(user), 0, SESSIONS_SHOWN - 1))


async def session_ids_before(db: Db, user: str, at: int) -> list[str]:
    """Some of the sessions that began before a time, oldest first."""
    return list(await db.call("ZRANGE", keys.sessions(user), "-inf", f"({at}", "BYSCORE", "LIMIT", 0, SESSIONS_SHOWN))


async def run_attempt(db: Db, attempt: str, counts: Sequence[str], free: Sequence[int]) -> int:
    """Count an attempt in all these keys or in none; the ms to wait before it, 0: it was counted."""
    code, *wait_ms = await db.repeat(ATTEMPT, counts, [attempt, *free])
    return int(wait_ms[0]) if code == "WAIT" else 0


async def run_uncount(db: Db, attempt: str, count: str, free: int) -> None:
    """Take one attempt back."""
    await db.repeat(UNCOUNT, [count], [attempt, free])


async def forget_attempts(db: Db, count: str) -> None:
    """Take all of them back."""
    await db.repeat(UNCOUNT, [count], ["", 0])


async def is_known_place(db: Db, user: str, place: str) -> bool:
    """Whether a person signed in from there before."""
    return await db.call("ZSCORE", keys.known_places(user), place) is not None


async def known_places(db: Db, user: str) -> list[str]:
    """Digests of where a person signed in before, oldest first."""
    return list(await db.call("ZRANGE", keys.known_places(user), 0, -1))


async def last_seen(db: Db, user: User) -> tuple[int, int | None]:
    """How many sessions of a person are open, of the latest hundred, and when one of them was used last (epoch ms)."""
    found = await asyncio.gather(*(find_session(db, user.id, one) for one in await session_ids(db, user.id)))
    seen = [session.seen_at for session in found if session and session.epoch == user.epoch]
    return len(seen), max(seen, default=None)


async def search(db: Db, prefix: str, offset: int, count: int) -> list[str]:
    """Entries of the search index that begin so, in order."""
    bounds = (f"[{prefix}", f"[{prefix}{LAST}", "BYLEX", "LIMIT", offset, count)
    return list(await db.call("ZRANGE", keys.users_search(), *bounds))


async def write_index(db: Db, user: str, created_at: int, entries: set[str]) -> None:
    """Let the index have these entries of a person, and no others; the list has whoever has any.

    What the index may hold is noted with the person first, so that a crash in between loses no entry for ever.
    """
    own = keys.user_search(user)
    if entries:
        await db.call("SADD", own, *entries)
        await db.call("ZADD", keys.users_search(), *(part for entry in entries for part in ("0", entry)))
        await db.call("ZADD", keys.users(), created_at, user)
    else:
        await db.call("ZREM", keys.users(), user)
    if former := set(await db.call("SMEMBERS", own)) - entries:
        await db.call("ZREM", keys.users_search(), *former)
        await db.call("SREM", own, *former)


async def forget_index(db: Db) -> None:
    """Empty the list of all people and the search index."""
    for key in (keys.users(), keys.users_search()):
        await db.call("DEL", key)


async def find_totp(db: Db, user: str) -> Totp | None:
    return documents.from_pairs(Totp, await db.call("HGETALL", keys.totp(user)))


async def find_totp_pending(db: Db, user: str) -> Totp | None:
    return documents.from_pairs(Totp, await db.call("HGETALL", keys.totp_pending(user)))


async def find_recovery_codes(db: Db, user: str) -> RecoveryCodes | None:
    return documents.from_pairs(RecoveryCodes, await db.call("HGETALL", keys.recovery_codes(user)))


async def find_sign_in_challenge(db: Db, user: str, challenge: str) -> SignInChallenge | None:
    return documents.from_pairs(SignInChallenge, await db.call("HGETALL", keys.sign_in_challenge(user, challenge)))


async def find_passkey(db: Db, user: str, passkey: str) -> Passkey | None:
    return documents.from_pairs(Passkey, await db.call("HGETALL", keys.passkey(user, passkey)))


async def find_passkeys(db: Db, user: str) -> list[Passkey]:
    """All of a person, oldest first."""
    ids = await db.call("ZRANGE", keys.passkeys(user), 0, -1)
    return [one for one in await asyncio.gather(*(find_passkey(db, user, id_) for id_ in ids)) if one]


async def is_answered(db: Db, user: str, challenge: str) -> bool:
    """Whether a passkey of the person has answered a challenge."""
    return bool(await db.call("EXISTS", keys.passkey_challenge(user, challenge)))
