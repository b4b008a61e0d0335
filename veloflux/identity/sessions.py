"""Sessions: a log-in gives a token `<person>.<secret>`, by which one script in the person's slot knows the person."""

import asyncio
import functools
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Literal

import msgspec

from veloflux.context import Context, Parts
from veloflux.db import keys
from veloflux.errors import AccountDisabled, ChangedMeanwhile, CredentialsWrong, NotAuthenticated, NotFound, Unavailable
from veloflux.events import SessionEnded, SessionStarted, UserPasswordRehashed, UserSessionsEnded
from veloflux.identity import attempts, email_address, factors, passwords, sign_in_challenges, store
from veloflux.identity.model import Caller, Person, Session, SignedIn, User
from veloflux.identity.pacing import too_fast
from veloflux.kit import clock, crypto, ids
from veloflux.kit.pace import Standing, pace
from veloflux.transaction import Transaction, decide

FORM = "log_in"
PLACES_KEPT = 100
VIA_S = 12 * 3_600
"""A session by a tenant's provider ends so soon, and the provider is asked again."""
Which = Literal["others", "all"]
TOKEN = re.compile(r"([0-9a-z]{1,26})\.([0-9a-z]{32})")


async def log_in(ctx: Context, email: str, password: str) -> SignedIn:
    """Start a session. Takes the same time whether or not the address has an account.

    :raises CredentialsWrong: no such account, or another password.
    :raises AccountDisabled: told only to whoever knows the password. :raises TooManyAttempts: see `attempts`.
    :raises SecondFactorRequired: the password is right; `second_factor.finish_log_in` goes on.
    """
    user = await verify(ctx, email, password)
    if user is None or user.status == "erased":
        raise CredentialsWrong("E-mail and password do not belong together")
    if user.status == "disabled":
        raise AccountDisabled("This account is disabled; ask who runs this service why")
    acting = acting_as(ctx, user)
    found = await factors.read(ctx.db, user.id)
    if found.methods:
        await sign_in_challenges.issue(acting, user, ("password",), found)
    return await open_session(acting, user, ("password",))


async def verify(ctx: Context, email: str, password: str) -> User | None:
    """The person whose e-mail and password these are.

    :raises TooManyAttempts: before anything is hashed.
    """
    address = email_address.parse(email)
    user = await store.find_by_email(ctx, address)
    subject = user.id if user else attempts.nobody(store.email_digest(ctx, address))
    attempt = await attempts.admit(ctx, FORM, subject)
    if not await passwords.matches(ctx.settings, user.password_hash if user else None, password):
        return None
    await attempts.succeeded(ctx, attempt)
    if user and passwords.is_outdated(user.password_hash):
        await _rehash(acting_as(ctx, user), user, password)
    return user


async def _rehash(ctx: Context, user: User, password: str) -> None:
    """Not worth a log-in: another one may do it at the same time, or the next one."""
    with suppress(ChangedMeanwhile, Unavailable):
        new = msgspec.structs.replace(user, password_hash=await passwords.hashed(ctx.settings, password))
        tx = Transaction(ctx, user.id)
        tx.change(keys.user(user.id), user, new)
        tx.event(UserPasswordRehashed(user=user.id))
        await tx.commit()


def acting_as(ctx: Context, user: User) -> Context:
    """What somebody does who proved to be a person, that person does, from where they are."""
    return ctx.acting(msgspec.structs.replace(ctx.actor, id=user.id, person=user.id))


async def log_out(ctx: Context) -> None:
    """End the session that the actor acts by."""
    await _end(ctx, ctx.actor.session)


async def end_session(ctx: Context, session: str) -> None:
    """End one of the actor's own sessions; its token is refused from then on.

    :raises NotFound: the actor has no such session.
    """
    if not ids.is_id(session, "ses") or not await _end(ctx, session):
        raise NotFound("You have no such session")


async def end_sessions(ctx: Context, which: Which) -> None:
    """End all of the actor's sessions, or all others: their tokens are refused from then on, however many they are.

    :raises NotAuthenticated: the session that should stay is over itself.
    """
    await decide(lambda: _end_many(ctx, ctx.actor.session if which == "others" else ""))


async def list_sessions(ctx: Context) -> list[Session]:
    """The actor's own sessions that are not over, newest first."""
    user, found = await asyncio.gather(
        store.read_user(ctx.db, ctx.actor.person), store.session_ids(ctx.db, ctx.actor.person)
    )
    sessions = await asyncio.gather(*(store.find_session(ctx.db, user.id, one) for one in found))
    now = clock.now_ms()
    return [session for session in sessions if session and session.epoch == user.epoch and session.ends_at > now]


async def authenticate(parts: Parts, token: str) -> Caller:
    """Who a token is, in one round trip; keeps the session alive.

    :raises NotAuthenticated: the token is none, or its session is over. :raises LimitReached: it asks too often.
    """
    parsed = TOKEN.fullmatch(token)
    if parsed is None:
        raise NotAuthenticated("This is not a session's token; sign in again")
    user, session = f"usr_{parsed[1]}", session_id(parsed[2])
    idle_ms = parts.settings.session_idle_s * 1000
    limit = pace(parts.settings.session_pace)
    code, *fields = await store.run_authenticate(parts.db, user, session, idle_ms, limit)
    if code == "RATE":
        raise too_fast("session", limit, fields[0])
    if code != "OK":
        raise NotAuthenticated("This session is over; sign in again")
    name, email, language, proved, via, impersonator, impersonation, ahead = fields
    return Caller(
        id=user,
        name=name,
        email=email,
        language=language,
        session=session,
        factors=_proved(proved),
        via=via,
        impersonator=impersonator,
        impersonation=impersonation,
        standing=Standing("session", limit, ahead),
    )


def session_id(secret: str) -> str:
    """The id that a session has from the secret of its token: 130 bits of SHA-256."""
    return ids.derived("ses", crypto.digest(secret))


async def start_via(ctx: Context, user: User, tenant: str) -> SignedIn:
    """Start a session of half a day that opens one tenant alone, whose own provider says who this is."""
    return await open_session(acting_as(ctx, user), user, ("oidc",), via=tenant)


@functools.lru_cache
def _proved(text: str) -> tuple[str, ...]:
    """The factors that a session holds as JSON; there are few combinations."""
    return msgspec.json.decode(text, type=tuple[str, ...])


async def open_session(
    ctx: Context,
    user: User,
    proved: tuple[str, ...],
    spend: Callable[[Transaction], None] = lambda _: None,
    via: str = "",
) -> SignedIn:
    """Start a session of an active person, who acts, after everything was proved that is needed.

    :param proved: the factors, such as `password`, `totp`. :param spend: adds to the commit what may be used once.
    :param via: the only tenant that it opens.
    :raises ChangedMeanwhile: what was proved no longer holds.
    """
    secret, now, settings = crypto.new_secret(), clock.now_ms(), ctx.settings
    ends_at = now + min(settings.session_absolute_s, VIA_S if via else settings.session_absolute_s) * 1000
    session = Session(
        id=session_id(secret),
        epoch=user.epoch,
        via=via,
        device=ctx.actor.device,
        address=ctx.actor.address,
        factors=proved,
        created_at=now,
        seen_at=now,
        ends_at=ends_at,
    )
    over, known = await asyncio.gather(
        store.session_ids_before(ctx.db, user.id, now - settings.session_absolute_s * 1000),
        store.known_places(ctx.db, user.id),
    )
    tx = Transaction(ctx, user.id)
    tx.expect(keys.user(user.id), "epoch", str(user.epoch))
    spend(tx)
    tx.create(keys.session(user.id, session.id), session)
    tx.expire(keys.session(user.id, session.id), min(settings.session_idle_s, settings.session_absolute_s) * 1000)
    tx.rank(keys.sessions(user.id), session.id, now)
    if over:
        tx.unrank(keys.sessions(user.id), *over)
    is_new = _remember_place(ctx, tx, user.id, known)
    tx.event(SessionStarted(session=session.id, device=session.device, new_device=is_new))
    await tx.commit()
    person = Person(
        id=user.id,
        name=user.name,
        email=user.email,
        language=user.language,
        session=session.id,
        factors=proved,
        via=via,
    )
    return SignedIn(token=f"{ids.bare(user.id)}.{secret}", person=person, ends_at=ends_at)


def _remember_place(ctx: Context, tx: Transaction, user: str, known: list[str]) -> bool:
    """Add where the actor is to the places known; says whether a person known elsewhere is new there."""
    address, device = attempts.place(ctx.parts, ctx.actor.address), attempts.device_place(ctx)
    for place in (address, device):
        tx.rank(keys.known_places(user), place, clock.now_ms())
    if forgotten := [place for place in known[:-PLACES_KEPT] if place not in (address, device)]:
        tx.unrank(keys.known_places(user), *forgotten)
    return bool(known) and device not in known


async def _end_many(ctx: Context, kept: str) -> None:
    user = await store.read_user(ctx.db, ctx.actor.person)
    session = await store.find_session(ctx.db, user.id, kept) if kept else None
    over = [one for one in await store.session_ids(ctx.db, user.id) if one != kept]
    tx = Transaction(ctx, user.id)
    tx.change(keys.user(user.id), user, msgspec.structs.replace(user, epoch=user.epoch + 1))
    if kept and (session is None or session.epoch != user.epoch):
        raise NotAuthenticated("This session is over; sign in again")
    if session:
        tx.change(keys.session(user.id, kept), session, msgspec.structs.replace(session, epoch=user.epoch + 1))
    if over:
        tx.unrank(keys.sessions(user.id), *over)
    tx.event(UserSessionsEnded(user=user.id, kept=kept))
    await tx.commit()


async def _end(ctx: Context, session: str) -> bool:
    user = ctx.actor.person
    found = await store.find_session(ctx.db, user, session)
    if found is None:
        return False
    tx = Transaction(ctx, user)
    tx.remove(keys.session(user, session), found)
    tx.unrank(keys.sessions(user), session)
    tx.event(SessionEnded(session=session))
    try:
        await tx.commit()
    except ChangedMeanwhile:  # ended by another request
        return False
    return True
