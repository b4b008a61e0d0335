"""Somebody signs up, and proves that the address is theirs before there is an account.

asked ──link opened within a day──> person
  ├────a day──────────────────────> forgotten, with all that was kept of it
  └────the address has an account─> its owner is told, nothing else happens
Nobody learns by asking which of these it was: each takes the same calls and ends in the same words.
"""

from veloflux.context import Context
from veloflux.db import keys, names
from veloflux.errors import AlreadyDone, ChangedMeanwhile, NameTaken, VeloFluxError
from veloflux.events import RegistrationRepeated, RegistrationStarted
from veloflux.identity import email_address, links, passwords, store
from veloflux.identity.jobs import FORGET_REGISTRATION
from veloflux.identity.mail_limit import admit_mail
from veloflux.identity.model import Language, Registration, User
from veloflux.identity.register import NAME_MAX, create
from veloflux.kit import clock, ids
from veloflux.kit.text import one_line
from veloflux.transaction import Transaction

LIFE_MS = clock.DAY_MS


async def start_registration(ctx: Context, *, name: str, email: str, password: str, language: Language = "en") -> None:
    """Have a link sent to an address that creates the account, or tell the owner of the account that it has.

    :raises InputInvalid: name, e-mail or password are not acceptable. :raises TooManyAttempts: see `mail_limit`.
    """
    passwords.check(password)
    address = email_address.parse(email)
    name, digest = one_line(name, "A name", NAME_MAX), store.email_digest(ctx, address)
    await admit_mail(ctx, digest)
    registration = Registration(
        id=ids.new("reg"),
        name=name,
        email=address.text,
        email_digest=digest,
        password_hash=await passwords.hashed(ctx.settings, password),
        language=language,
        created_at=clock.now_ms(),
    )
    owner = await store.find_by_email(ctx, address)
    if owner:
        await _tell(ctx, owner)
    else:
        await _keep(ctx, registration)


async def confirm_registration(ctx: Context, token: str) -> User:
    """Create the person that the token of a link was sent to.

    :raises LinkExpired: the token is none, or a day has passed. :raises AlreadyDone: it was used before.
    :raises NameTaken: the address has got another account meanwhile.
    :raises ChangedMeanwhile: the link is being used at this moment.
    """
    id_, _ = links.parse(ctx.parts.secrets, "verify", token)
    registration = await store.find_registration(ctx.db, id_)
    if registration is None:
        raise await _reason(ctx, id_) or links.over()
    user = User(
        id=id_,
        name=registration.name,
        email=registration.email,
        email_digest=registration.email_digest,
        password_hash=registration.password_hash,
        language=registration.language,
        created_at=clock.now_ms(),
    )
    try:
        await create(ctx, user, registration)
    except NameTaken as taken:
        raise await _reason(ctx, id_, registration) or taken from None
    return user


async def _tell(ctx: Context, owner: User) -> None:
    tx = Transaction(ctx, owner.id)
    tx.event(RegistrationRepeated(user=owner.id))
    await tx.commit()


async def _keep(ctx: Context, registration: Registration) -> None:
    user = ids.new("usr")
    tx = Transaction(ctx, user)
    tx.create(keys.registration(user), registration)
    tx.expire(keys.registration(user), LIFE_MS)
    tx.enqueue(FORGET_REGISTRATION, {"registration": registration.id}, run_at=registration.created_at + LIFE_MS)
    tx.event(RegistrationStarted(registration=registration.id))
    await tx.commit()


async def _reason(ctx: Context, user: str, registration: Registration | None = None) -> VeloFluxError | None:
    """Why a link leads nowhere, if its own earlier or concurrent use is why."""
    if await store.find_user(ctx.db, user):
        return AlreadyDone("This e-mail address was confirmed before; sign in with it")
    if registration and await names.claimant(ctx.db, store.email_name(registration.email_digest)) == user:
        return ChangedMeanwhile("This link is being used at this moment; open it again in some seconds")
    return None
