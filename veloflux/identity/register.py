"""A person signs up, with an address that nobody else has."""

from veloflux.context import ANONYMOUS, Actor, Context
from veloflux.db import keys, names
from veloflux.errors import NameTaken
from veloflux.events import UserRegistered
from veloflux.identity import email_address, passwords, store
from veloflux.identity.model import Language, User
from veloflux.kit import clock, ids
from veloflux.kit.text import one_line
from veloflux.transaction import Transaction

NAME_MAX = 120


async def register(ctx: Context, *, name: str, email: str, password: str, language: Language = "en") -> User:
    """Create a person.

    Until addresses are verified, a taken one is said to be taken: the log-in that follows would tell it anyway.

    :raises InputInvalid: name, e-mail or password are not acceptable.
    :raises NameTaken: the address has an account.
    """
    passwords.check(password)
    address = email_address.parse(email)
    user = User(
        id=ids.new("usr"),
        name=one_line(name, "A name", NAME_MAX),
        email=address.text,
        email_digest=store.email_digest(ctx, address),
        password_hash=await passwords.hashed(ctx.settings, password),
        language=language,
        created_at=clock.now_ms(),
    )
    await _create(_as_themselves(ctx, user), user)
    return user


async def _create(ctx: Context, user: User) -> None:
    try:
        async with names.claimed(ctx.db, store.email_name(user.email_digest), user.id) as claim:
            tx = Transaction(ctx, user.id)
            claim.guard(tx)
            tx.create(keys.user(user.id), user)
            tx.event(UserRegistered(user=user.id))
            await tx.commit()
    except NameTaken:
        raise NameTaken(
            "There is an account with this e-mail address already; sign in with it", field="email"
        ) from None


def _as_themselves(ctx: Context, user: User) -> Context:
    if ctx.actor.id != ANONYMOUS.id:
        return ctx
    return ctx.acting(Actor(id=user.id, person=user.id, address=ctx.actor.address))
