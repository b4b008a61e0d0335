"""What proves that somebody is a person: a code of the app, a recovery code, the password. Guesses are limited."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import CredentialsWrong, NotAuthenticated, SecondFactorWrong
from veloflux.events import RecoveryCodeUsed
from veloflux.identity import attempts, factors, passkey_proof, passwords, recovery_codes, store, totp_codes
from veloflux.identity.ceremony import Credential
from veloflux.identity.change_password import FORM as PASSWORD_FORM
from veloflux.identity.factors_model import FactorAnswer, Factors, Method, RecoveryCodes, Totp
from veloflux.identity.model import User
from veloflux.identity.passkey_proof import Expected
from veloflux.kit import clock, crypto
from veloflux.transaction import Transaction

FORM = "second_factor"


class Proof(NamedTuple):
    """A factor that was proved; `spend` adds to a commit that its code was used, and lets one of two at once fail."""

    factor: Method
    spend: Callable[[Transaction], None]


async def prove(ctx: Context, user: User, answer: FactorAnswer, subject: str = "") -> Proof:
    """Hold an answer against a person's factors; nothing is written before the proof is spent.

    :param subject: for whom a passkey's challenge was made.
    :raises SecondFactorWrong: it proves none of them. :raises TooManyAttempts: see `attempts`.
    """
    attempt = await attempts.admit(ctx, FORM, user.id)
    if answer.credential is not None:
        proof = await _by_passkey(ctx, user, answer.credential, subject)
    else:
        proof = await _by_code(ctx, user, answer, await factors.read(ctx.db, user.id))
    if proof is None:
        raise SecondFactorWrong("This code is wrong, or was used before; wait for the next one", field="code")
    await attempts.succeeded(ctx, attempt)
    return proof


async def check_password(ctx: Context, password: str) -> None:
    """:raises CredentialsWrong: it is not the actor's. :raises TooManyAttempts: as at its change."""
    user = await store.read_user(ctx.db, ctx.actor.person)
    attempt = await attempts.admit(ctx, PASSWORD_FORM, user.id)
    if not await passwords.matches(ctx.settings, user.password_hash, password):
        raise CredentialsWrong("This is not your present password", field="password")
    await attempts.succeeded(ctx, attempt)


async def code_number(ctx: Context, user: str, totp: Totp, code: str) -> int | None:
    """The number of a code that the app shows and that was not used; None: it is not such a code."""
    key = await ctx.parts.data_keys.get(user, user)
    secret = crypto.unseal(key, totp.sealed) if key else None
    return totp_codes.accepted(secret, code, clock.now_ms(), totp.counter) if secret else None


async def raise_session(ctx: Context, tx: Transaction, factor: Method) -> None:
    """Let the session in use be one for which a factor was proved.

    :raises NotAuthenticated: it is over.
    """
    user, session = await asyncio.gather(
        store.read_user(ctx.db, ctx.actor.person), store.find_session(ctx.db, ctx.actor.person, ctx.actor.session)
    )
    if session is None or session.epoch != user.epoch:
        raise NotAuthenticated("This session is over; sign in again")
    tx.expect(keys.user(ctx.actor.person), "epoch", str(session.epoch))
    if factor not in session.factors:
        proved = (*session.factors, factor)
        tx.change(keys.session(ctx.actor.person, session.id), session, msgspec.structs.replace(session, factors=proved))


async def _by_passkey(ctx: Context, user: User, credential: Credential, subject: str) -> Proof | None:
    spend = await passkey_proof.prove(ctx, user.id, credential, Expected(subject))
    return Proof("passkey", spend) if spend else None


async def _by_code(ctx: Context, user: User, answer: FactorAnswer, found: Factors) -> Proof | None:
    code = answer.code.strip()
    if found.totp and totp_codes.CODE.fullmatch(code):
        number = await code_number(ctx, user.id, found.totp, code)
        return Proof("totp", _totp_spent(user.id, found.totp, number)) if number else None
    if found.recovery_codes and "recovery_code" in found.methods:
        left = recovery_codes.without(ctx, user.id, found.recovery_codes, code)
        return Proof("recovery_code", _recovery_code_spent(user.id, found.recovery_codes, left)) if left else None
    return None


def _totp_spent(user: str, totp: Totp, number: int) -> Callable[[Transaction], None]:
    def spend(tx: Transaction) -> None:
        tx.change(keys.totp(user), totp, msgspec.structs.replace(totp, counter=number))

    return spend


def _recovery_code_spent(user: str, before: RecoveryCodes, left: RecoveryCodes) -> Callable[[Transaction], None]:
    def spend(tx: Transaction) -> None:
        tx.change(keys.recovery_codes(user), before, left)
        tx.event(RecoveryCodeUsed(left=len(left.digests)))

    return spend
