"""A person changes the password, knowing the present one: other sessions end, and links sent before are void."""

import msgspec

from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import CredentialsWrong, NotAuthenticated
from veloflux.events import UserPasswordChanged
from veloflux.identity import attempts, passwords, store
from veloflux.identity.model import User
from veloflux.transaction import Transaction, decide

FORM = "change_password"


async def change_password(ctx: Context, current: str, password: str) -> None:
    """Set a new password; of the person's sessions only the one that acts goes on.

    :raises InputInvalid: the new password is not acceptable. :raises CredentialsWrong: the present one is another.
    :raises NotAuthenticated: the session ended meanwhile. :raises TooManyAttempts: see `attempts`.
    """
    passwords.check(password)
    known = await require_password(ctx, current)
    password_hash = await passwords.hashed(ctx.settings, password)
    await decide(lambda: _change(ctx, known.password_hash, password_hash))


async def require_password(ctx: Context, current: str) -> User:
    """The acting person, who gives the present password.

    :raises CredentialsWrong: it is another. :raises TooManyAttempts: see `attempts`.
    """
    user = await store.read_user(ctx.db, ctx.actor.person)
    attempt = await attempts.admit(ctx, FORM, user.id)
    if not await passwords.matches(ctx.settings, user.password_hash, current):
        raise CredentialsWrong("This is not your present password", field="current")
    await attempts.succeeded(ctx, attempt)
    return user


async def _change(ctx: Context, before: str, after: str) -> None:
    user = await store.read_user(ctx.db, ctx.actor.person)
    session = await store.find_session(ctx.db, user.id, ctx.actor.session)
    if session is None or session.epoch != user.epoch or user.password_hash != before:
        raise NotAuthenticated("This session is over; sign in again")
    epoch = user.epoch + 1
    tx = Transaction(ctx, user.id)
    tx.change(keys.user(user.id), user, msgspec.structs.replace(user, password_hash=after, epoch=epoch))
    tx.change(keys.session(user.id, session.id), session, msgspec.structs.replace(session, epoch=epoch))
    tx.event(UserPasswordChanged(user=user.id))
    await tx.commit()
