"""An operator acts as a person: by a session that says so, with a reason, for at most an hour.

Whether the operator may is decided above (veloflux.users), with each request anew. Every event of such a session names
the operator and the impersonation; the person is told by e-mail, and the tenants by their trails. Such a session is not
the person's: it is not listed with theirs, is no sign of life, makes no device known, and can change no
credential. The factors that count for it are those that the operator proved.
"""

from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import Conflict, InputInvalid
from veloflux.events import ImpersonationEnded, ImpersonationStarted
from veloflux.identity import store
from veloflux.identity.model import Impersonation, Person, Session, SignedIn
from veloflux.identity.sessions import session_id
from veloflux.kit import clock, crypto, ids
from veloflux.kit.text import one_line
from veloflux.transaction import Transaction, decide

REASON_MAX = 500
MINUTES = 30
MINUTES_MAX = 60


async def start_impersonation(ctx: Context, user: str, reason: str, minutes: int = MINUTES) -> SignedIn:
    """Begin a session as a person, for 1 to 60 minutes.

    :raises InputInvalid: the reason or the minutes. :raises NotFound: no such person.
    :raises Conflict: the account is not active.
    """
    text = one_line(reason, "The reason", REASON_MAX, field="reason")
    if not 1 <= minutes <= MINUTES_MAX:
        raise InputInvalid(f"Choose 1 to {MINUTES_MAX} minutes", field="minutes")
    return await decide(lambda: _start(ctx, user, text, minutes * clock.MINUTE_MS))


async def stop_impersonation(ctx: Context) -> None:
    """End the session that the actor acts by.

    :raises Conflict: nobody is impersonated by it.
    """
    actor = ctx.actor
    session = await store.find_session(ctx.db, actor.person, actor.session)
    if not actor.impersonator or session is None:
        raise Conflict("This session is not an impersonation")
    tx = Transaction(ctx, actor.person)
    tx.remove(keys.session(actor.person, session.id), session)
    tx.event(ImpersonationEnded(user=actor.person, impersonation=actor.impersonation))
    await tx.commit()


async def _start(ctx: Context, id_: str, reason: str, life_ms: int) -> SignedIn:
    user = await store.read_living(ctx.db, id_)
    if user.status != "active":
        raise Conflict("This account is disabled; nobody can act as this person")
    secret, now = crypto.new_secret(), clock.now_ms()
    made = Impersonation(
        id=ids.new("imp"),
        impersonator=ctx.actor.id,
        reason=reason,
        session=session_id(secret),
        created_at=now,
        ends_at=now + life_ms,
    )
    session = Session(
        id=made.session,
        epoch=user.epoch,
        created_at=now,
        seen_at=now,
        ends_at=made.ends_at,
        factors=ctx.actor.factors,
        impersonator=made.impersonator,
        impersonation=made.id,
    )
    tx = Transaction(ctx, user.id)
    tx.expect(keys.user(user.id), "version", str(user.version))
    tx.create(keys.impersonation(user.id, made.id), made)
    tx.create(keys.session(user.id, session.id), session)
    tx.expire(keys.session(user.id, session.id), life_ms)
    tx.event(
        ImpersonationStarted(user=user.id, impersonation=made.id, impersonator=made.impersonator, ends_at=made.ends_at)
    )
    await tx.commit()
    person = Person(
        id=user.id,
        name=user.name,
        email=user.email,
        language=user.language,
        session=session.id,
        factors=session.factors,
        impersonator=made.impersonator,
        impersonation=made.id,
    )
    return SignedIn(token=f"{ids.bare(user.id)}.{secret}", person=person, ends_at=made.ends_at)
