"""The factors that a person has, and what a session is worth by those proved for it."""

import asyncio
from collections.abc import Sequence

from veloflux.context import Context
from veloflux.db.client import Db
from veloflux.errors import SecondFactorNeeded
from veloflux.identity import store
from veloflux.identity.factors_model import Factors

SECOND = frozenset({"totp", "passkey", "recovery_code"})


def has_second(proved: Sequence[str]) -> bool:
    """Whether a second factor is among those proved for a session; a passkey that verified its user is two at once.

    >>> has_second(["password"]), has_second(["password", "totp"]), has_second(["passkey"])
    (False, True, True)
    """
    return not SECOND.isdisjoint(proved)


async def read(db: Db, user: str) -> Factors:
    """All that a person has beside the password."""
    totp, passkeys, codes = await asyncio.gather(
        store.find_totp(db, user), store.find_passkeys(db, user), store.find_recovery_codes(db, user)
    )
    return Factors(totp=totp, passkeys=tuple(passkeys), recovery_codes=codes)


async def guarded(ctx: Context) -> Factors:
    """The actor's factors, for who changes them: where there is a second one, it must have been proved.

    :raises SecondFactorNeeded: a stolen password, or an old session, is not enough.
    """
    found = await read(ctx.db, ctx.actor.person)
    if found.methods and not has_second(ctx.actor.factors):
        raise SecondFactorNeeded("Confirm your second factor for this session first, then change how you sign in")
    return found
