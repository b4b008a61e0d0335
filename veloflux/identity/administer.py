"""What operators do to people's accounts; who may do it to whom, is decided above (veloflux.users)."""

import msgspec

from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import Conflict
from veloflux.events import (
    Event,
    FactorRemoved,
    UserCreated,
    UserDisabled,
    UserEnabled,
    UserRenamed,
    UserSessionsEnded,
)
from veloflux.identity import email_address, factors, passwords, store
from veloflux.identity.model import Language, ResetLink, User
from veloflux.identity.register import NAME_MAX, create
from veloflux.kit import clock, crypto, ids
from veloflux.kit.text import one_line
from veloflux.transaction import Transaction, decide

LINK_MS = 7 * clock.DAY_MS


async def create_user(ctx: Context, *, name: str, email: str, language: Language) -> User:
    """Create a person with a password that nobody knows; a link goes to the address that sets one, within a week.

    :raises InputInvalid: name or e-mail are not acceptable. :raises NameTaken: the address has an account.
    """
    address = email_address.parse(email)
    user = User(
        id=ids.new("usr"),
        name=one_line(name, "A name", NAME_MAX),
        email=address.text,
        email_digest=store.email_digest(ctx, address),
        password_hash=await passwords.hashed(ctx.settings, crypto.new_secret()),
        language=language,
        created_at=clock.now_ms(),
    )
    link = ResetLink(id=ids.new("lnk"), epoch=user.epoch, email_digest=user.email_digest)

    def invite(tx: Transaction) -> None:
        tx.create(keys.reset_link(user.id, link.id), link)
        tx.expire(keys.reset_link(user.id, link.id), LINK_MS)
        tx.event(UserCreated(user=user.id, link=link.id))

    await create(ctx, user, beside=invite)
    return user


async def rename_user(ctx: Context, user: str, name: str) -> User:
    """:raises InputInvalid: the name. :raises NotFound: no such person."""
    text = one_line(name, "A name", NAME_MAX)
    return await decide(lambda: _change(ctx, user, UserRenamed(user=user), name=text))


async def disable_user(ctx: Context, user: str) -> User:
    """End the person's sessions and let none begin.

    :raises NotFound: no such person. :raises Conflict: the person is disabled already.
    """
    return await decide(lambda: _change(ctx, user, UserDisabled(user=user), status="disabled"))


async def enable_user(ctx: Context, user: str) -> User:
    """:raises NotFound: no such person. :raises Conflict: the person is not disabled."""
    return await decide(lambda: _change(ctx, user, UserEnabled(user=user), status="active"))


async def remove_factors(ctx: Context, user: str) -> User:
    """Take away a person's app, passkeys and recovery codes, for who lost them. All sessions end; the person is told.

    :raises NotFound: no such person. :raises Conflict: the person has none.
    """
    await end_sessions_of(ctx, user)  # first, so that nobody who is signed in adds another one meanwhile
    return await decide(lambda: _remove_factors(ctx, user))


async def end_sessions_of(ctx: Context, user: str) -> User:
    """End all sessions of a person. :raises NotFound: no such person."""
    return await decide(lambda: _change(ctx, user, UserSessionsEnded(user=user, kept="")))


async def _remove_factors(ctx: Context, id_: str) -> User:
    user, found = await store.read_living(ctx.db, id_), await factors.read(ctx.db, id_)
    if not found.methods:
        raise Conflict("This person has no second factor")
    tx = Transaction(ctx, id_)
    tx.expect(keys.user(id_), "epoch", str(user.epoch))
    if found.totp:
        tx.remove(keys.totp(id_), found.totp)
    for passkey in found.passkeys:
        tx.remove(keys.passkey(id_, passkey.id), passkey)
        tx.unrank(keys.passkeys(id_), passkey.id)
    if found.recovery_codes:
        tx.remove(keys.recovery_codes(id_), found.recovery_codes)
    tx.event(FactorRemoved(factor="all"))
    await tx.commit()
    return user


async def _change(ctx: Context, id_: str, event: Event, **values: str) -> User:
    """Change a person; whatever is not just the name begins a new session epoch."""
    user = await store.read_living(ctx.db, id_)
    if values.get("status") == user.status:
        raise Conflict(f"This account is {user.status} already")
    epoch = user.epoch if "name" in values else user.epoch + 1
    tx = Transaction(ctx, user.id)
    changed = tx.change(keys.user(user.id), user, msgspec.structs.replace(user, epoch=epoch, **values))
    tx.event(event)
    await tx.commit()
    return changed
