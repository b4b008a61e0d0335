"""Routes of second factors: a sign-in's second step, authenticator apps, recovery codes."""

from typing import Annotated, Any

import msgspec
from litestar import get, post
from msgspec import Meta

from veloflux import identity
from veloflux.context import Context
from veloflux.identity.api import LoggedIn
from veloflux.identity.factors_model import FactorAnswer, Method, TotpEnrolment
from veloflux.identity.passwords import LENGTH_MAX

Code = Annotated[
    str,
    Meta(max_length=64, description="Six digits of the app, or a recovery code", examples=["123456"]),
]

CredentialJson = Annotated[dict[str, Any] | None, Meta(description="PublicKeyCredential.toJSON() of the browser")]


class SecondStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either `code` or `credential`, which answers the options in `passkey` of the refusal."""

    challenge: Annotated[str, Meta(max_length=100, description="Of the refusal `second_factor_required`")]
    code: Code = ""
    credential: CredentialJson = None


class StepUp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either `code` or `credential`, which answers the options of `auth.step_up_options`."""

    code: Code = ""
    credential: CredentialJson = None


class ConfirmTotp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: Annotated[str, Meta(min_length=1, max_length=64, description="Six digits of the app", examples=["123456"])]


class RemoveTotp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the two is enough."""

    password: Annotated[str, Meta(max_length=LENGTH_MAX, examples=["correct horse battery staple"])] = ""
    code: Annotated[str, Meta(max_length=64, examples=["123456"])] = ""


class RecoveryCodesShown(msgspec.Struct, frozen=True):
    """Shown this once; each is good once."""

    recovery_codes: list[str]


class FactorsShown(msgspec.Struct, frozen=True):
    """`proved` is what the session in use was made with."""

    methods: list[Method]
    proved: tuple[str, ...]
    recovery_codes_left: int


@post(
    "/api/auth/login/second-factor",
    operation_id="auth.second_factor",
    access="public",
    summary="End a log-in with the second factor",
    tags=["auth"],
    status_code=200,
)
async def second_factor(ctx: Context, data: SecondStep) -> LoggedIn:
    """The challenge is good for five minutes, five answers and one session."""
    signed_in = await identity.finish_log_in(
        ctx, data.challenge, FactorAnswer(code=data.code, credential=data.credential)
    )
    return LoggedIn(signed_in.token, signed_in.ends_at, signed_in.person)


@post(
    "/api/auth/step-up",
    operation_id="auth.step_up",
    access="person",
    summary="Prove a second factor for the session in use",
    tags=["auth"],
    status_code=204,
)
async def step_up(ctx: Context, data: StepUp) -> None:
    await identity.step_up(ctx, FactorAnswer(code=data.code, credential=data.credential))


@get("/api/auth/factors", operation_id="factors.show", access="person", summary="Show my factors", tags=["auth"])
async def show_factors(ctx: Context) -> FactorsShown:
    found = await identity.read_factors(ctx.db, ctx.actor.person)
    left = len(found.recovery_codes.digests) if found.recovery_codes else 0
    return FactorsShown(found.methods, ctx.actor.factors, left)


@post(
    "/api/auth/totp",
    operation_id="totp.enrol",
    access="person",
    summary="Begin to add an authenticator app",
    tags=["auth"],
    status_code=201,
)
async def enrol_totp(ctx: Context) -> TotpEnrolment:
    """The secret is shown this once, and counts when a code of it has confirmed it, within an hour."""
    return await identity.enrol_totp(ctx)


@post(
    "/api/auth/totp/confirm",
    operation_id="totp.confirm",
    access="person",
    summary="Add the authenticator app by a code of it",
    tags=["auth"],
    status_code=200,
)
async def confirm_totp(ctx: Context, data: ConfirmTotp) -> RecoveryCodesShown:
    """With the first factor come recovery codes."""
    return RecoveryCodesShown(await identity.confirm_totp(ctx, data.code))


@post(
    "/api/auth/totp/remove",
    operation_id="totp.remove",
    access="person",
    summary="Remove the authenticator app",
    tags=["auth"],
    status_code=204,
)
async def remove_totp(ctx: Context, data: RemoveTotp) -> None:
    await identity.remove_totp(ctx, password=data.password, code=data.code)


@post(
    "/api/auth/recovery-codes",
    operation_id="recovery_codes.create",
    access="person",
    summary="Make new recovery codes",
    tags=["auth"],
    status_code=201,
)
async def make_recovery_codes(ctx: Context) -> RecoveryCodesShown:
    """Those before are void."""
    return RecoveryCodesShown(await identity.make_recovery_codes(ctx))


ROUTES = (second_factor, step_up, show_factors, enrol_totp, confirm_totp, remove_totp, make_recovery_codes)
