"""Passkeys of a person: made by the browser, kept as public keys; a second factor, or the only one.

The way in that is left last cannot be removed: who has no password keeps a passkey.
"""

import msgspec

from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import AlreadyDone, Conflict, CredentialsWrong, NotFound, SecondFactorWrong
from veloflux.events import FactorAdded, FactorRemoved, PasskeyRenamed
from veloflux.identity import ceremony, factors, passkey_proof, proof, recovery_codes, store, webauthn_challenges
from veloflux.identity.ceremony import Credential, Options
from veloflux.identity.factors_model import Passkey
from veloflux.identity.model import SignedIn
from veloflux.identity.passkey_proof import Expected
from veloflux.identity.sessions import acting_as, open_session
from veloflux.kit import clock, ids
from veloflux.kit.text import one_line
from veloflux.transaction import Transaction, decide

CREATE = "create"
MOST = 20
NAME_MAX = 60


async def begin_passkey(ctx: Context) -> Options:
    """What the browser of the actor is asked to make a passkey with.

    :raises SecondFactorNeeded: see `factors.guarded`.
    """
    user, found = await store.read_user(ctx.db, ctx.actor.person), await factors.guarded(ctx)
    challenge = webauthn_challenges.make(ctx.parts.secrets, CREATE, ctx.actor.session)
    return ceremony.creation_options(ctx.settings, user, challenge, found.passkeys)


async def add_passkey(ctx: Context, name: str, credential: Credential) -> list[str]:
    """Add the passkey that a browser made; gives recovery codes if the person had none.

    :raises SecondFactorWrong: it is not one for us, or its challenge is over. :raises AlreadyDone: it is known.
    """
    name = one_line(name, "A passkey's name", NAME_MAX)
    return await decide(lambda: _add(ctx, name, credential))


async def rename_passkey(ctx: Context, passkey: str, name: str) -> None:
    """:raises NotFound: the actor has no such passkey."""
    name = one_line(name, "A passkey's name", NAME_MAX)
    await decide(lambda: _rename(ctx, passkey, name))


async def remove_passkey(ctx: Context, passkey: str) -> None:
    """Take a passkey away; it signs in no more.

    :raises NotFound: the actor has no such passkey. :raises Conflict: it is the last way in.
    :raises SecondFactorNeeded: see `factors.guarded`.
    """
    await decide(lambda: _remove(ctx, passkey))


async def begin_passkey_log_in(ctx: Context) -> Options:
    """What any browser is asked to sign in with, whoever is in front of it."""
    return ceremony.request_options(
        ctx.settings, webauthn_challenges.make(ctx.parts.secrets, passkey_proof.PURPOSE, "")
    )


async def log_in_by_passkey(ctx: Context, credential: Credential) -> SignedIn:
    """Start a session of the person to whom a passkey belongs, which must have verified them.

    Guesses are not counted: nobody guesses a signature, and counting would let strangers lock a person out.

    :raises CredentialsWrong: it signs nobody in.
    """
    return await decide(lambda: _log_in(ctx, credential))


async def begin_step_up(ctx: Context) -> Options:
    """What the browser of the actor is asked to raise the session in use with.

    :raises Conflict: the actor has no passkey.
    """
    found = await factors.read(ctx.db, ctx.actor.person)
    if not found.passkeys:
        raise Conflict("You have no passkey; add one, or give a code")
    challenge = webauthn_challenges.make(ctx.parts.secrets, passkey_proof.PURPOSE, ctx.actor.session)
    return ceremony.request_options(ctx.settings, challenge, found.passkeys)


async def _log_in(ctx: Context, credential: Credential) -> SignedIn:
    handle = ceremony.user_in(credential)
    user = await store.find_user(ctx.db, handle if ids.is_id(handle, "usr") else store.NOBODY)
    if user is None or user.status != "active":
        raise CredentialsWrong("This passkey does not sign in here; use another one, or your password")
    acting = acting_as(ctx, user)
    spend = await passkey_proof.prove(acting, user.id, credential, Expected("", verified=True))
    if spend is None:
        raise CredentialsWrong("This passkey does not sign in here; use another one, or your password")
    return await open_session(acting, user, ("passkey",), spend)


async def _add(ctx: Context, name: str, credential: Credential) -> list[str]:
    user, found = ctx.actor.person, await factors.guarded(ctx)
    challenge = await passkey_proof.fresh_challenge(ctx, user, credential, CREATE, ctx.actor.session)
    made = ceremony.registered(ctx.settings, credential, challenge) if challenge else None
    if challenge is None or made is None:
        raise SecondFactorWrong("This passkey was not made for this page, or too long ago; begin again")
    passkey = Passkey(
        id=passkey_proof.passkey_id(made.credential), name=name, created_at=clock.now_ms(), **made._asdict()
    )
    if passkey.id in [one.id for one in found.passkeys]:
        raise AlreadyDone("You have this passkey already")
    if len(found.passkeys) >= MOST:
        raise Conflict(f"You have {MOST} passkeys; remove one that you do not use")
    tx = Transaction(ctx, user)
    passkey_proof.mark(tx, user, challenge)
    tx.create(keys.passkey(user, passkey.id), passkey)
    tx.rank(keys.passkeys(user), passkey.id, passkey.created_at)
    codes = [] if found.recovery_codes else recovery_codes.add(ctx, tx, user, None)
    await proof.raise_session(ctx, tx, "passkey")
    tx.event(FactorAdded(factor="passkey"))
    await tx.commit()
    return codes


async def _rename(ctx: Context, id_: str, name: str) -> None:
    passkey = await _own(ctx, id_)
    tx = Transaction(ctx, ctx.actor.person)
    tx.change(keys.passkey(ctx.actor.person, id_), passkey, msgspec.structs.replace(passkey, name=name))
    tx.event(PasskeyRenamed(passkey=id_))
    await tx.commit()


async def _remove(ctx: Context, id_: str) -> None:
    user, passkey = await store.read_user(ctx.db, ctx.actor.person), await _own(ctx, id_)
    found = await factors.guarded(ctx)
    others = [one for one in found.passkeys if one.id != id_]
    tx = Transaction(ctx, user.id)
    if not user.password_hash:
        if not others:
            raise Conflict("This is your last way in; add another passkey or a password first")
        tx.expect(keys.passkey(user.id, others[0].id), "id", others[0].id)  # nobody removes that one meanwhile
    tx.remove(keys.passkey(user.id, id_), passkey)
    tx.unrank(keys.passkeys(user.id), id_)
    if not others:
        recovery_codes.drop_with_last(tx, user.id, found, "passkey")
    tx.event(FactorRemoved(factor="passkey"))
    await tx.commit()


async def _own(ctx: Context, id_: str) -> Passkey:
    found = await store.find_passkey(ctx.db, ctx.actor.person, id_) if ids.is_id(id_, "pky") else None
    if found is None:
        raise NotFound("You have no such passkey")
    return found
