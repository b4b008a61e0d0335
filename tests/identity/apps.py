"""Authenticator apps: the codes that a person reads from the phone."""

import time

import pyotp

from tests import cast
from veloflux import identity
from veloflux.context import Context
from veloflux.errors import SecondFactorRequired
from veloflux.identity.factors_model import FactorAnswer
from veloflux.identity.model import SignedIn
from veloflux.identity.totp_codes import STEP_MS
from veloflux.kit import clock

NEARLY_UP_MS = 2_000


class App:
    """`code` is one that was not shown before and is good now: a step earlier, now, or a step ahead. As somebody would
    who sees that the time is nearly up, it waits for the next step."""

    def __init__(self, secret: str) -> None:
        self._totp = pyotp.TOTP(secret)
        self._step = clock.now_ms() // STEP_MS - 2

    def code(self) -> str:
        if (left := STEP_MS - clock.now_ms() % STEP_MS) < NEARLY_UP_MS:
            time.sleep(left / 1000)
        self._step = max(self._step + 1, clock.now_ms() // STEP_MS - 1)
        return self._totp.generate_otp(self._step)


async def with_app(person: Context) -> tuple[App, list[str]]:
    """Add an app to a person's account; gives it and the recovery codes."""
    app = App((await identity.enrol_totp(person)).secret)
    return app, await identity.confirm_totp(person, app.code())


async def challenged(ctx: Context, name: str) -> str:
    """The challenge that a person with a second factor gets for the password."""
    try:
        await identity.log_in(cast.fresh(ctx), cast.email(name), cast.PASSWORD)
    except SecondFactorRequired as asked:
        return str(asked.extra["challenge"])
    raise AssertionError("the password alone was enough")


async def finish(ctx: Context, challenge: str, code: str) -> SignedIn:
    return await identity.finish_log_in(cast.fresh(ctx), challenge, FactorAnswer(code=code))
