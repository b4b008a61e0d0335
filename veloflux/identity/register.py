"""A person comes into being, with an address that nobody else has."""

from collections.abc import Callable

from veloflux.context import ANONYMOUS, Actor, Context
from veloflux.db import keys, names
from veloflux.errors import NameTaken
from veloflux.events import UserRegistered
from veloflux.identity import email_address, passwords, store
from veloflux.identity.model import Language, Registration, User
from veloflux.kit import clock, ids
from veloflux.kit.text import one_line
from veloflux.transaction import Transaction

NAME_MAX = 120


async def register(ctx: Context, *, name: str, email: str, password: str, language: Language = "en") -> User:
    """Create a person at once. For whoever has proved the address, by a link from an e-mail, or rules the machine.

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
    await create(ctx, user)
    return user


async def create(
    ctx: Context,
    user: User,
    registration: Registration | None = None,
    beside: Callable[[Transaction], None] | None = None,
) -> None:
    """Write a person, in place of the registration that asked for it; `beside` adds to the commit.

    :raises NameTaken: the address has an account.
    """
    try:
        async with names.claimed(ctx.db, store.email_name(user.email_digest), user.id) as claim:
            tx = Transaction(as_themselves(ctx, user), user.id)
            claim.guard(tx)
            tx.create(keys.user(user.id), user)
            if registration:
                _replace(tx, user.id, registration)
            tx.event(UserRegistered(user=user.id))
            if beside:
                beside(tx)
            await tx.commit()
    except NameTaken:
        raise NameTaken(
            "There is an account with this e-mail address already; sign in with it", field="email"
        ) from None


def as_themselves(ctx: Context, user: User) -> Context:
    """What nobody known does with a person's own secret, the person does."""
    if ctx.actor.id != ANONYMOUS.id:
        return ctx
    return ctx.acting(Actor(id=user.id, person=user.id, address=ctx.actor.address))


def _replace(tx: Transaction, user: str, registration: Registration) -> None:
    """Forget the registration, and the key of what the trail keeps of it: the person's own key seals from now on."""
    tx.expect(keys.registration(user), "version", str(registration.version))
    tx.delete(keys.registration(user))
    tx.delete(keys.data_key(user, registration.id))
