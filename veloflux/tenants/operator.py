"""Operators: the first one by a link that works once within an hour, or from the terminal.

A commit in the platform's slot decides: it expects the link's digest and deletes it. A crash between the registration
of the person and that commit leaves the link alive: who opens it again, and enters the same e-mail and password,
becomes the operator then.
"""

import re

from veloflux.context import ANONYMOUS, PLATFORM, Actor, Context
from veloflux.db import keys
from veloflux.errors import AlreadyMember, ChangedMeanwhile, CredentialsWrong, LinkExpired, NameTaken
from veloflux.events import OperatorCreated
from veloflux.identity import User, register, verify
from veloflux.kit import clock, crypto
from veloflux.tenants import store
from veloflux.tenants.find import platform
from veloflux.tenants.members import join
from veloflux.tenants.permissions import head_role
from veloflux.transaction import Transaction

LINK_MS = clock.HOUR_MS
TOKEN = re.compile(r"[0-9a-z]{32}")


async def new_setup_link(ctx: Context) -> str | None:
    """The address of a fresh setup link, which voids the older one; None as soon as there is an operator."""
    if await store.has_members(ctx.db, PLATFORM):
        return None
    token = crypto.new_secret()
    await store.write_setup(ctx.db, crypto.digest(token), LINK_MS)
    return f"{ctx.settings.console_url}/console/setup/{token}"


async def is_setup_token(ctx: Context, token: str) -> bool:
    """Whether a setup link can be used now."""
    if not TOKEN.fullmatch(token) or await store.has_members(ctx.db, PLATFORM):
        return False
    return crypto.equal(await store.read_setup(ctx.db), crypto.digest(token))


async def create_operator(ctx: Context, token: str | None, *, name: str, email: str, password: str) -> User:
    """Make a person an operator, by a setup link's token, or without one (None) for whoever rules the machine.

    Who has an account already gives its password.

    :raises LinkExpired: the link was used, replaced, or is over. :raises InputInvalid: as `identity.register`.
    :raises CredentialsWrong: the address has an account with another password. :raises AlreadyMember: an operator is.
    """
    if token is not None and not await is_setup_token(ctx, token):
        raise _over()
    await platform(ctx)
    user = await _account(ctx, name, email, password)
    if ctx.actor.id == ANONYMOUS.id:
        ctx = ctx.acting(Actor(id=user.id, person=user.id, address=ctx.actor.address))
    await _admit(ctx, token, user)
    return user


async def _account(ctx: Context, name: str, email: str, password: str) -> User:
    try:
        return await register(ctx, name=name, email=email, password=password)
    except NameTaken:
        user = await verify(ctx, email, password)
    if user is None or user.status != "active":
        raise CredentialsWrong("There is an account with this e-mail address already; enter the password of that one")
    return user


async def _admit(ctx: Context, token: str | None, user: User) -> None:
    tx = Transaction(ctx, PLATFORM)
    if token is not None:
        tx.expect(keys.setup(PLATFORM), "", crypto.digest(token))
        tx.expect_absent(keys.members(PLATFORM))
    tx.delete(keys.setup(PLATFORM))
    join(tx, user.id, head_role(PLATFORM))
    tx.event(OperatorCreated(user=user.id))
    try:
        await tx.commit()
    except ChangedMeanwhile as error:
        if error.extra["key"] == keys.member(PLATFORM, user.id):
            raise AlreadyMember("This person is an operator already") from None
        raise _over() from None


def _over() -> LinkExpired:
    return LinkExpired(
        "This link is not valid (any more); `veloflux up` prints a new one as long as nobody has used one"
    )
