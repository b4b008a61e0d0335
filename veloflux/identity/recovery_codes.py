"""Ten codes for who lost the phone: shown once, each good once, kept as digests under the installation's secret."""

import secrets
from base64 import b32encode

import msgspec

from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import Conflict
from veloflux.events import RecoveryCodesMade
from veloflux.identity import factors
from veloflux.identity.factors_model import Factors, RecoveryCodes
from veloflux.kit import clock, crypto, ids
from veloflux.transaction import Transaction, decide

COUNT = 10


async def make_recovery_codes(ctx: Context) -> list[str]:
    """New codes for the actor, shown this once; those before are void.

    :raises Conflict: there is no second factor that they could stand in for.
    :raises SecondFactorNeeded: see `factors.guarded`.
    """
    return await decide(lambda: _make(ctx))


def add(ctx: Context, tx: Transaction, user: str, before: RecoveryCodes | None) -> list[str]:
    """Put new codes in place of those before; gives them."""
    codes = [_new() for _ in range(COUNT)]
    digests, key = tuple(digest(ctx, user, code) for code in codes), keys.recovery_codes(user)
    if before:
        tx.change(key, before, msgspec.structs.replace(before, digests=digests, created_at=clock.now_ms()))
    else:
        tx.create(key, RecoveryCodes(id=ids.new("rcv"), digests=digests, created_at=clock.now_ms()))
    return codes


def drop_with_last(tx: Transaction, user: str, found: Factors, removed: str) -> None:
    """Without a second factor, there is nothing that codes stand in for."""
    if found.recovery_codes and not [one for one in found.methods if one not in (removed, "recovery_code")]:
        tx.remove(keys.recovery_codes(user), found.recovery_codes)


def without(ctx: Context, user: str, codes: RecoveryCodes, code: str) -> RecoveryCodes | None:
    """What is left after a code is used; None: it is not among them."""
    used = digest(ctx, user, code)
    left = tuple(one for one in codes.digests if not crypto.equal(one, used))
    return msgspec.structs.replace(codes, digests=left) if len(left) < len(codes.digests) else None


def digest(ctx: Context, user: str, code: str) -> str:
    """What is kept of a code; hyphens, blanks and capitals do not matter."""
    plain = "".join(one for one in code.casefold() if one.isalnum())
    return crypto.derive(ctx.parts.secrets.of("recovery_code"), user, plain).hex()


def _new() -> str:
    text = b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, 16, 4))


async def _make(ctx: Context) -> list[str]:
    found = await factors.guarded(ctx)
    if not found.methods:
        raise Conflict("Recovery codes stand in for a second factor; add one first")
    tx = Transaction(ctx, ctx.actor.person)
    codes = add(ctx, tx, ctx.actor.person, found.recovery_codes)
    tx.event(RecoveryCodesMade(user=ctx.actor.person))
    await tx.commit()
    return codes
