"""A forgotten password: a link to the address of the account sets a new one, once, within an hour.

A link carries the session epoch and the address of its making. Using one, or changing the password otherwise, begins a
new epoch, which ends all sessions and voids all other links; a change of the address voids those sent to the old one.
"""

from contextlib import suppress

import msgspec

from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import ChangedMeanwhile
from veloflux.events import PasswordResetRequested, UserPasswordChanged
from veloflux.identity import email_address, links, passwords, store
from veloflux.identity.mail_limit import admit_mail
from veloflux.identity.model import ResetLink, User
from veloflux.identity.register import as_themselves
from veloflux.kit import clock, ids
from veloflux.transaction import Transaction, decide

LIFE_MS = clock.HOUR_MS


async def request_password_reset(ctx: Context, email: str) -> None:
    """Have a link sent to an address, if it has an account; it takes the same calls if it has none.

    :raises InputInvalid: it is no address. :raises TooManyAttempts: see `mail_limit`.
    """
    address = email_address.parse(email)
    await admit_mail(ctx, store.email_digest(ctx, address))
    user = await store.find_by_email(ctx, address)
    owner = user.id if user else store.NOBODY
    link = ResetLink(id=ids.new("lnk"), epoch=user.epoch if user else 1, email_digest=user.email_digest if user else "")
    tx = Transaction(ctx, owner)
    tx.expect(keys.user(owner), "status", "active")  # which is never true of nobody
    tx.create(keys.reset_link(owner, link.id), link)
    tx.expire(keys.reset_link(owner, link.id), LIFE_MS)
    tx.event(PasswordResetRequested(link=link.id))
    with suppress(ChangedMeanwhile):
        await tx.commit()


async def reset_password(ctx: Context, token: str, password: str) -> None:
    """Set a new password by the token of a link, and end all sessions.

    :raises InputInvalid: the password is not acceptable.
    :raises LinkExpired: the token is none, was used or voided, or its hour has passed.
    """
    passwords.check(password)
    user, link = links.parse(ctx.parts.secrets, "reset", token)
    password_hash = await passwords.hashed(ctx.settings, password)
    await decide(lambda: _reset(ctx, user, link, password_hash))


def counts(link: ResetLink, user: User) -> bool:
    """Whether nothing voided a link since it was made."""
    return (link.epoch, link.email_digest) == (user.epoch, user.email_digest)


async def _reset(ctx: Context, user_id: str, link_id: str, password_hash: str) -> None:
    user = await store.find_user(ctx.db, user_id)
    link = await store.find_reset_link(ctx.db, user_id, link_id)
    if user is None or link is None or user.status != "active" or not counts(link, user):
        raise links.over()
    tx = Transaction(as_themselves(ctx, user), user.id)
    tx.remove(keys.reset_link(user.id, link.id), link)
    tx.change(
        keys.user(user.id), user, msgspec.structs.replace(user, password_hash=password_hash, epoch=user.epoch + 1)
    )
    tx.event(UserPasswordChanged(user=user.id))
    await tx.commit()
