"""How often somebody may try: at a public form, for a subject (a person, or an address that may have no account).

Three counts, each with some free attempts an hour, then a growing wait, then a lock-out of a quarter of an hour:

- of the subject from one address: who forgot the password, or guesses it; it does not concern others elsewhere
- of the address, whatever the subject: who tries one password with many accounts
- of the subject from wherever it never succeeded: who guesses from many addresses; it does not concern the subject
  itself where it was before

An attempt is counted before it is made, so that a thousand at once are not a thousand guesses; what succeeds is
uncounted. Each is known by an id, so that both happen once when an answer gets lost: whoever knows the password is not
slowed down by a connection that breaks. One IPv6 network of 64 bits is one address, since it is one customer's.
"""

import hmac
import math
from collections.abc import Sequence

import msgspec

from veloflux.context import Context, Parts
from veloflux.db import keys
from veloflux.errors import TooManyAttempts
from veloflux.identity import store
from veloflux.kit import ids
from veloflux.kit.network import customer_network

FREE_HERE, FREE_OF_ADDRESS, FREE_ELSEWHERE = 5, 50, 100


class Attempt(msgspec.Struct, frozen=True):
    """One that was admitted and counted, as `id`. `place` is the digest of the address, `is_known` whether it succeeded
    there before."""

    id: str
    form: str
    subject: str
    place: str
    is_known: bool


async def admit(ctx: Context, form: str, subject: str) -> Attempt:
    """Count an attempt at a form, by the actor's address.

    As many round trips for a subject that does not exist.

    :param form: a name such as `log_in`.
    :param subject: `usr_…`, of nobody too (`nobody`).
    :raises TooManyAttempts: with the seconds to wait; it is not to be made.
    """
    id_, here = ids.new("att"), place(ctx.parts, ctx.actor.address)
    is_known = await store.is_known_place(ctx.db, subject, here)
    await count(ctx, id_, [keys.attempts_from(form, here)], [FREE_OF_ADDRESS])
    counts = [keys.attempts_here(subject, form, here), keys.attempts_elsewhere(subject, form)]
    limited = counts[:1] if is_known else counts
    await count(ctx, id_, limited, [FREE_HERE, FREE_ELSEWHERE][: len(limited)])
    return Attempt(id_, form, subject, here, is_known)


async def succeeded(ctx: Context, attempt: Attempt) -> None:
    """Forget an attempt, and those of its subject from its address before it."""
    await store.forget_attempts(ctx.db, keys.attempts_here(attempt.subject, attempt.form, attempt.place))
    await store.run_uncount(ctx.db, attempt.id, keys.attempts_from(attempt.form, attempt.place), FREE_OF_ADDRESS)
    if not attempt.is_known:
        elsewhere = keys.attempts_elsewhere(attempt.subject, attempt.form)
        await store.run_uncount(ctx.db, attempt.id, elsewhere, FREE_ELSEWHERE)


def nobody(email_digest: str) -> str:
    """What stands for the person of an e-mail address that has no account."""
    return ids.derived("usr", email_digest)


def place(parts: Parts, address: str) -> str:
    """A keyed digest of an address; all without one are one."""
    return ids.derived(
        "adr", hmac.digest(parts.secrets.of("place"), customer_network(address).encode(), "sha256").hex()
    )


def device_place(ctx: Context) -> str:
    """The same for the actor's address and device together."""
    return place(ctx.parts, f"{customer_network(ctx.actor.address)} {ctx.actor.device}")


async def count(ctx: Context, attempt: str, counts: Sequence[str], free: Sequence[int]) -> None:
    """Count an attempt, by its id, in all of these, of which so many are free. :raises TooManyAttempts: in none."""
    if wait_ms := await store.run_attempt(ctx.db, attempt, counts, free):
        wait_s = math.ceil(wait_ms / 1000)
        raise TooManyAttempts(f"Too many attempts; wait {wait_s} s and try again", retry_after=wait_s)
