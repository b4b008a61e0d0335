"""An authenticator app (TOTP, RFC 6238): six digits that change every 30 seconds, each good once.

enrolled ──a code of the app──> confirmed ──password or a factor──> removed
   └── an hour ──> forgotten
The secret is kept sealed with the person's data key, so that the end of that key is its end too.
"""

import msgspec
import pyotp

from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import AlreadyDone, InputInvalid, NotFound, SecondFactorWrong
from veloflux.events import FactorAdded, FactorEnrolled, FactorRemoved
from veloflux.identity import attempts, factors, proof, recovery_codes, store
from veloflux.identity.factors_model import FactorAnswer, Totp, TotpEnrolment
from veloflux.kit import clock, crypto, ids
from veloflux.transaction import Transaction, decide

ISSUER = "VeloFlux"
PENDING_MS = clock.HOUR_MS


async def enrol_totp(ctx: Context) -> TotpEnrolment:
    """Begin to add an app; its secret is shown this once, and replaces one that was not confirmed.

    :raises AlreadyDone: the person has one. :raises SecondFactorNeeded: see `factors.guarded`.
    """
    return await decide(lambda: _enrol(ctx))


async def confirm_totp(ctx: Context, code: str) -> list[str]:
    """Add the app that was begun, by a code of it; gives recovery codes if the person had none.

    :raises NotFound: none was begun within the hour. :raises SecondFactorWrong: the code is not of now.
    :raises TooManyAttempts: see `attempts`.
    """
    attempt = await attempts.admit(ctx, proof.FORM, ctx.actor.person)
    codes = await decide(lambda: _confirm(ctx, code))
    await attempts.succeeded(ctx, attempt)
    return codes


async def remove_totp(ctx: Context, *, password: str = "", code: str = "") -> None:
    """Take the app away, knowing the password or proving a second factor again.

    :raises NotFound: there is none. :raises CredentialsWrong, SecondFactorWrong: neither is right.
    """
    if not password and not code:
        raise InputInvalid("Give your password, or a code of the app or a recovery code", field="code")
    if password:
        await proof.check_password(ctx, password)
    await decide(lambda: _remove(ctx, "" if password else code))


async def _enrol(ctx: Context) -> TotpEnrolment:
    user = await store.read_user(ctx.db, ctx.actor.person)
    if (await factors.guarded(ctx)).totp:
        raise AlreadyDone("You have an authenticator app already; remove it before you add another one")
    before = await store.find_totp_pending(ctx.db, user.id)
    secret, key = pyotp.random_base32(), keys.totp_pending(user.id)
    data_key = await ctx.parts.data_keys.get(user.id, user.id)
    if data_key is None:
        raise NotFound("There is no such person")
    sealed = crypto.seal(data_key, secret)
    tx = Transaction(ctx, user.id)
    if before:
        tx.change(key, before, msgspec.structs.replace(before, sealed=sealed))
    else:
        tx.create(key, Totp(id=ids.new("otp"), sealed=sealed, created_at=clock.now_ms()))
    tx.expire(key, PENDING_MS)
    tx.event(FactorEnrolled(factor="totp"))
    await tx.commit()
    uri = pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=ISSUER)
    return TotpEnrolment(secret=secret, uri=uri)


async def _confirm(ctx: Context, code: str) -> list[str]:
    user = ctx.actor.person
    found = await factors.guarded(ctx)
    pending = await store.find_totp_pending(ctx.db, user)
    if pending is None:
        raise NotFound("There is no app to confirm; begin again")
    counter = await proof.code_number(ctx, user, pending, code.strip())
    if counter is None:
        raise SecondFactorWrong("This is not the app's present code; look again", field="code")
    tx = Transaction(ctx, user)
    tx.remove(keys.totp_pending(user), pending)
    tx.create(
        keys.totp(user), Totp(id=ids.new("otp"), sealed=pending.sealed, counter=counter, created_at=clock.now_ms())
    )
    codes = recovery_codes.add(ctx, tx, user, found.recovery_codes) if found.recovery_codes is None else []
    await proof.raise_session(ctx, tx, "totp")
    tx.event(FactorAdded(factor="totp"))
    await tx.commit()
    return codes


async def _remove(ctx: Context, code: str) -> None:
    user = await store.read_user(ctx.db, ctx.actor.person)
    found = await factors.guarded(ctx)
    if found.totp is None:
        raise NotFound("You have no authenticator app")
    if code:
        await proof.prove(ctx, user, FactorAnswer(code=code))
    tx = Transaction(ctx, user.id)
    tx.remove(keys.totp(user.id), found.totp)
    recovery_codes.drop_with_last(tx, user.id, found, "totp")
    tx.event(FactorRemoved(factor="totp"))
    await tx.commit()
