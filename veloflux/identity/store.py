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
from veloflux.identity.model import Registration, ResetLink, Session, User

ATTEMPT = scripts.load("identity", "attempt")
UNCOUNT = scripts.load("identity", "uncount")
AUTHENTICATE = scripts.load("identity", "authenticate")
NOBODY = "usr_0"
SESSIONS_SHOWN = 100


def email_digest(ctx: Context, address: EmailAddress) -> str:
    """What stands for an address wherever the address itself must not: 64 hex digits."""
    return hmac.digest(ctx.parts.secrets.of("email"), address.same.encode(), "sha256").hex()


def email_name(digest: str) -> Name:
    return Name("email", digest, field="email_digest")


async def run_authenticate(db: Db, user: str, session: str, idle_ms: int) -> list[Any]:
    """Who a session is, in one round trip; the codes are the script's."""
    answer: list[Any] = await db.script(AUTHENTICATE, [keys.user(user), keys.session(user, session)], [idle_ms])
    return answer


async def find_user(db: Db, user: str) -> User | None:
    return documents.from_pairs(User, await db.call("HGETALL", keys.user(user)))


async def read_user(db: Db, user: str) -> User:
    """:raises NotFound: there is no such person."""
    found = await find_user(db, user)
    if found is None:
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


async def find_session(db: Db, user: str, session: str) -> Session | None:
    return documents.from_pairs(Session, await db.call("HGETALL", keys.session(user, session)))


async def session_ids(db: Db, user: str) -> list[str]:
    """A person's latest sessions, newest first; some may be over."""
    return list(await db.call("ZREVRANGE", keys.sessions(user), 0, SESSIONS_SHOWN - 1))


async def session_ids_before(db: Db, user: str, at: int) -> list[str]:
    """Some of the sessions that began before a time, oldest first."""
    return list(await db.call("ZRANGE", keys.sessions(user), "-inf", f"({at}", "BYSCORE", "LIMIT", 0, SESSIONS_SHOWN))


async def run_attempt(db: Db, counts: Sequence[str], free: Sequence[int]) -> int:
    """Count an attempt in all these keys or in none; the ms to wait before it, 0: it was counted."""
    code, *wait_ms = await db.script(ATTEMPT, counts, free)
    return int(wait_ms[0]) if code == "WAIT" else 0


async def run_uncount(db: Db, count: str, free: int) -> None:
    """Take one attempt back."""
    await db.script(UNCOUNT, [count], [free])


async def forget_attempts(db: Db, count: str) -> None:
    await db.call("DEL", count)


async def is_known_place(db: Db, user: str, place: str) -> bool:
    """Whether a person signed in from there before."""
    return await db.call("ZSCORE", keys.known_places(user), place) is not None


async def known_places(db: Db, user: str) -> list[str]:
    """Digests of where a person signed in before, oldest first."""
    return list(await db.call("ZRANGE", keys.known_places(user), 0, -1))


async def project_user(db: Db, user: str, registered_at: int) -> None:
    """Put a person into the list of all; again is as once."""
    await db.call("ZADD", keys.users(), registered_at, user)


async def unproject_user(db: Db, user: str) -> None:
    """Take a person out of the list of all; again is as once."""
    await db.call("ZREM", keys.users(), user)
