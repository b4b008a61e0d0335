"""Whether a passkey's answer proves a person: signed over a challenge of ours, not answered before, by no copy."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from veloflux.context import Context
from veloflux.db import keys
from veloflux.events import PasskeyCopied
from veloflux.identity import ceremony, store, webauthn_challenges
from veloflux.identity.ceremony import Credential
from veloflux.identity.factors_model import Passkey
from veloflux.kit import clock, ids
from veloflux.transaction import Transaction

PURPOSE = "get"


class Expected(NamedTuple):
    """For whom the challenge was made (see webauthn_challenges), and whether the user must have been verified."""

    subject: str
    verified: bool = False


async def prove(
    ctx: Context, user: str, credential: Credential, expected: Expected
) -> Callable[[Transaction], None] | None:
    """What marks the answer as used in the commit that it lets happen; None: it proves nothing."""
    challenge = await fresh_challenge(ctx, user, credential, PURPOSE, expected.subject)
    passkey = await store.find_passkey(ctx.db, user, passkey_id(str(credential.get("id", ""))))
    if challenge is None or passkey is None:
        return None
    signed = ceremony.asserted(ctx.settings, credential, challenge, passkey, verified=expected.verified)
    if signed is None:
        return None
    if signed.is_copy:
        await _tell(ctx, user, passkey)
        return None

    def spend(tx: Transaction) -> None:
        mark(tx, user, challenge)
        used = msgspec.structs.replace(passkey, sign_count=signed.sign_count, used_at=clock.now_ms())
        tx.change(keys.passkey(user, passkey.id), passkey, used)

    return spend


async def fresh_challenge(ctx: Context, user: str, credential: Credential, purpose: str, subject: str) -> bytes | None:
    """The challenge that was answered, if it is ours, for this, of the last minutes, and not answered before."""
    challenge = ceremony.challenge_in(credential)
    if challenge is None or not webauthn_challenges.is_ours(ctx.parts.secrets, purpose, subject, challenge):
        return None
    return None if await store.is_answered(ctx.db, user, webauthn_challenges.id_of(challenge)) else challenge


def mark(tx: Transaction, user: str, challenge: bytes) -> None:
    """Let a challenge be answered this once."""
    key = keys.passkey_challenge(user, webauthn_challenges.id_of(challenge))
    tx.expect_absent(key)
    tx.set(key, "1", webauthn_challenges.LIFE_MS)


def passkey_id(credential: str) -> str:
    """The id of the passkey with a credential id in base64url."""
    return ids.derived("pky", credential)


async def _tell(ctx: Context, user: str, passkey: Passkey) -> None:
    tx = Transaction(ctx, user)
    tx.event(PasskeyCopied(passkey=passkey.id))
    await tx.commit()
