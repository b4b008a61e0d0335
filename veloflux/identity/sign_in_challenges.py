"""A sign-in between its two factors: the password was right, and for five minutes the second factor is awaited.

Its token `<person>.<secret>` is bound to the person; only a digest of the secret is kept. It works once, ends after
five wrong answers, and whatever ends the person's sessions ends it too.
"""

import re
from typing import NoReturn

import msgspec

from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import SecondFactorRequired, SignInExpired
from veloflux.events import SecondFactorRefused, SignInChallenged
from veloflux.identity import ceremony, passkey_proof, store, webauthn_challenges
from veloflux.identity.ceremony import Options
from veloflux.identity.factors_model import Factors, SignInChallenge
from veloflux.identity.model import User
from veloflux.kit import clock, crypto, ids
from veloflux.transaction import Transaction, decide

LIFE_MS = 5 * clock.MINUTE_MS
REFUSED_MOST = 5
TOKEN = re.compile(r"([0-9a-z]{1,26})\.([0-9a-z]{32})")


async def issue(ctx: Context, user: User, proved: tuple[str, ...], found: Factors) -> NoReturn:
    """Ask for the second factor of a person who proved these.

    :raises SecondFactorRequired: always, with `challenge`, `methods`, and what a browser is asked of a `passkey`.
    """
    secret = crypto.new_secret()
    challenge = SignInChallenge(id=_id(secret), epoch=user.epoch, proved=proved)
    key = keys.sign_in_challenge(user.id, challenge.id)
    tx = Transaction(ctx, user.id)
    tx.create(key, challenge)
    tx.expire(key, LIFE_MS)
    tx.event(SignInChallenged(challenge=challenge.id))
    await tx.commit()
    token = f"{ids.bare(user.id)}.{secret}"
    passkey = {"passkey": passkey_options(ctx, challenge, found)} if found.passkeys else {}
    raise SecondFactorRequired("Go on with your second factor", challenge=token, methods=found.methods, **passkey)


def passkey_options(ctx: Context, challenge: SignInChallenge, found: Factors) -> Options:
    """What a browser is asked of the person's passkeys, to end this sign-in."""
    asked = webauthn_challenges.make(ctx.parts.secrets, passkey_proof.PURPOSE, challenge.id)
    return ceremony.request_options(ctx.settings, asked, found.passkeys)


async def find(ctx: Context, token: str) -> tuple[User, SignInChallenge]:
    """Whose sign-in it is.

    :raises SignInExpired: the token is none, was used, or is over.
    """
    parsed = TOKEN.fullmatch(token)
    if parsed is None:
        raise _over()
    user = await store.find_user(ctx.db, f"usr_{parsed[1]}")
    challenge = await store.find_sign_in_challenge(ctx.db, f"usr_{parsed[1]}", _id(parsed[2]))
    if user is None or challenge is None or user.status != "active" or user.epoch != challenge.epoch:
        raise _over()
    return user, challenge


async def count_refusal(ctx: Context, user: User, challenge: str) -> None:
    """Note a wrong answer; the last one that is allowed ends the sign-in."""
    await decide(lambda: _count(ctx, user, challenge))


async def _count(ctx: Context, user: User, id_: str) -> None:
    challenge = await store.find_sign_in_challenge(ctx.db, user.id, id_)
    if challenge is None:
        return
    key, refused = keys.sign_in_challenge(user.id, id_), challenge.refused + 1
    tx = Transaction(ctx, user.id)
    if refused >= REFUSED_MOST:
        tx.remove(key, challenge)
    else:
        tx.change(key, challenge, msgspec.structs.replace(challenge, refused=refused))
    tx.event(SecondFactorRefused(challenge=id_))
    await tx.commit()


def _id(secret: str) -> str:
    return ids.derived("chl", crypto.digest(secret))


def _over() -> SignInExpired:
    return SignInExpired("This sign-in is over; begin again with your password")
