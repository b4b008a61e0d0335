"""A person gets another e-mail address, once both mailboxes have said so.

asked, with the present password ──links to the new and to the old address──> pending, for a day
pending ──opened at the new: proved──┐
   ├─────opened at the old: approved─┴─both──> the address is the new one, and the old one is told
   ├─────refused by either──> forgotten
   └─────asked anew, or a new session epoch: all links before are void

Whether the new address has an account is found out by the worker, which then writes to its owner instead: who asks
sees, and causes, the same in both cases.
"""

import contextlib
from typing import Literal

import msgspec

from veloflux.context import Context
from veloflux.db import keys, names
from veloflux.errors import AlreadyDone, ChangedMeanwhile, InputInvalid, LinkExpired, NameTaken, Unavailable
from veloflux.events import EmailChangeConfirmed, EmailChangeRefused, EmailChangeRequested, UserEmailChanged
from veloflux.identity import email_address, links, store
from veloflux.identity.change_password import require_password
from veloflux.identity.mail_limit import admit_mail
from veloflux.identity.model import EmailChange, User
from veloflux.identity.register import as_themselves
from veloflux.kit import clock, ids
from veloflux.transaction import Transaction, decide

LIFE_MS = clock.DAY_MS
Side = Literal["prove", "approve"]
SIDES: tuple[Side, Side] = ("prove", "approve")
"""What the link to the new address does, and what the one to the old address does."""


async def request_email_change(ctx: Context, email: str, current: str) -> None:
    """Have links sent to a new address and to the present one; `current` is the present password.

    :raises InputInvalid: it is no address, or the person's own. :raises CredentialsWrong: the password is another.
    :raises TooManyAttempts: see `attempts` and `mail_limit`.
    """
    address = email_address.parse(email)
    known = await require_password(ctx, current)
    digest = store.email_digest(ctx, address)
    if digest == known.email_digest:
        raise InputInvalid("This is your address already; type another one", field="email")
    await admit_mail(ctx, digest)
    change = EmailChange(id=ids.new("emc"), email=address.text, email_digest=digest, epoch=known.epoch)
    await decide(lambda: _keep(ctx, known.id, change))


async def confirm_email_change(ctx: Context, token: str) -> bool:
    """Confirm for the mailbox that the token was sent to; says whether the address has changed with that.

    :raises LinkExpired: the token is none, or the change was refused, replaced or done, or a day has passed.
    :raises AlreadyDone: this mailbox confirmed before. :raises NameTaken: the address has got an account meanwhile.
    :raises ChangedMeanwhile: the links are being used at this moment.
    """
    side, user, change = parse(ctx, token)
    return await decide(lambda: _confirm(ctx, side, user, change))


async def refuse_email_change(ctx: Context, token: str) -> None:
    """Forget the change that either link is for; the address stays as it is.

    :raises LinkExpired: the token is none, or there is nothing to refuse (any more).
    """
    _, user, change = parse(ctx, token)
    await decide(lambda: _refuse(ctx, user, change))


def parse(ctx: Context, token: str) -> tuple[Side, str, str]:
    """What a link does, for which person and which change. :raises LinkExpired: we made no such token."""
    for side in SIDES:
        with contextlib.suppress(LinkExpired):
            return side, *links.parse(ctx.parts.secrets, side, token)
    raise links.over()


async def find_pending(ctx: Context, user_id: str, change_id: str) -> tuple[User, EmailChange] | None:
    """A person and the change asked for, while it counts."""
    user = await store.find_user(ctx.db, user_id)
    change = await store.find_email_change(ctx.db, user_id)
    if user is None or change is None or user.status != "active":
        return None
    return (user, change) if change.id == change_id and change.epoch == user.epoch else None


async def _keep(ctx: Context, user: str, change: EmailChange) -> None:
    before = await store.find_email_change(ctx.db, user)
    tx = Transaction(ctx, user)
    tx.expect(keys.user(user), "epoch", str(change.epoch))
    if before:
        tx.change(keys.email_change(user), before, change)
    else:
        tx.create(keys.email_change(user), change)
    tx.expire(keys.email_change(user), LIFE_MS)
    tx.event(EmailChangeRequested(change=change.id))
    await tx.commit()


async def _confirm(ctx: Context, side: Side, user_id: str, change_id: str) -> bool:
    user, change = await _pending(ctx, user_id, change_id)
    if side in change.confirmed:
        raise AlreadyDone("This mailbox has confirmed; the link sent to the other one is still to be opened")
    ctx = as_themselves(ctx, user)
    if change.confirmed:
        await _finish(ctx, user, change)
        return True
    tx = Transaction(ctx, user.id)
    tx.expect(keys.user(user.id), "version", str(user.version))
    tx.change(keys.email_change(user.id), change, msgspec.structs.replace(change, confirmed=(side,)))
    tx.event(EmailChangeConfirmed(change=change.id, side=side))
    await tx.commit()
    return False


async def _finish(ctx: Context, user: User, change: EmailChange) -> None:
    """Claim the new address, change the person's document, give the old address back."""
    name = store.email_name(change.email_digest)
    try:
        async with names.claimed(ctx.db, name, user.id) as claim:
            tx = Transaction(ctx, user.id)
            claim.guard(tx)
            new = msgspec.structs.replace(user, email=change.email, email_digest=change.email_digest)
            tx.change(keys.user(user.id), user, new)
            tx.remove(keys.email_change(user.id), change)
            tx.event(UserEmailChanged(user=user.id))
            await tx.commit()
    except NameTaken:
        if await names.claimant(ctx.db, name) == user.id:
            raise ChangedMeanwhile("These links are being used at this moment; try again in some seconds") from None
        raise NameTaken("This address has got another account meanwhile; choose another one") from None
    with contextlib.suppress(Unavailable):  # the worker does it again
        await names.release(ctx.db, store.email_name(user.email_digest), user.id)


async def _refuse(ctx: Context, user_id: str, change_id: str) -> None:
    user, change = await _pending(ctx, user_id, change_id)
    tx = Transaction(as_themselves(ctx, user), user.id)
    tx.remove(keys.email_change(user.id), change)
    tx.event(EmailChangeRefused(change=change.id))
    await tx.commit()


async def _pending(ctx: Context, user: str, change: str) -> tuple[User, EmailChange]:
    found = await find_pending(ctx, user, change)
    if found is None:
        raise links.over()
    return found
