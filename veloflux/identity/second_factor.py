"""A second factor: it ends a sign-in that began with the password, or raises a session that was made without it."""

from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import SecondFactorWrong
from veloflux.events import SessionRaised
from veloflux.identity import factors, proof, sign_in_challenges, store
from veloflux.identity.ceremony import Options
from veloflux.identity.factors_model import FactorAnswer, Method
from veloflux.identity.model import SignedIn
from veloflux.identity.sessions import acting_as, open_session
from veloflux.transaction import Transaction, decide


async def finish_log_in(ctx: Context, token: str, answer: FactorAnswer) -> SignedIn:
    """Start the session of a sign-in whose password was right.

    :param token: the `challenge` of SecondFactorRequired.
    :raises SignInExpired: it is over; begin again. :raises SecondFactorWrong: the answer; five of them end it.
    :raises TooManyAttempts: see `attempts`.
    """
    return await decide(lambda: _finish(ctx, token, answer))


async def asked_of(ctx: Context, token: str) -> tuple[list[Method], Options]:
    """How a sign-in can be ended, and what a browser is asked of a passkey.

    :raises SignInExpired: it is over; begin again.
    """
    user, challenge = await sign_in_challenges.find(ctx, token)
    found = await factors.read(ctx.db, user.id)
    return found.methods, sign_in_challenges.passkey_options(ctx, challenge, found)


async def step_up(ctx: Context, answer: FactorAnswer) -> None:
    """Raise the session in use by a second factor, so that it may do what needs one.

    :raises SecondFactorWrong: the answer. :raises TooManyAttempts: see `attempts`.
    """
    await decide(lambda: _step_up(ctx, answer))


async def _finish(ctx: Context, token: str, answer: FactorAnswer) -> SignedIn:
    user, challenge = await sign_in_challenges.find(ctx, token)
    acting = acting_as(ctx, user)
    try:
        proved = await proof.prove(acting, user, answer, challenge.id)
    except SecondFactorWrong:
        await sign_in_challenges.count_refusal(ctx, user, challenge.id)
        raise

    def spend(tx: Transaction) -> None:
        tx.remove(keys.sign_in_challenge(user.id, challenge.id), challenge)
        proved.spend(tx)

    return await open_session(acting, user, (*challenge.proved, proved.factor), spend)


async def _step_up(ctx: Context, answer: FactorAnswer) -> None:
    user = await store.read_user(ctx.db, ctx.actor.person)
    proved = await proof.prove(ctx, user, answer, ctx.actor.session)
    tx = Transaction(ctx, user.id)
    proved.spend(tx)
    await proof.raise_session(ctx, tx, proved.factor)
    tx.event(SessionRaised(session=ctx.actor.session, factor=proved.factor))
    await tx.commit()
