"""Routes of passkeys. A credential is what the browser's `toJSON()` gives, options what `parse…FromJSON()` takes."""

from typing import Annotated, Any

import msgspec
from litestar import delete, get, patch, post
from litestar.params import Parameter
from msgspec import Meta

from veloflux import identity
from veloflux.context import Context
from veloflux.identity.api import LoggedIn
from veloflux.identity.factors_api import RecoveryCodesShown
from veloflux.identity.factors_model import Passkey
from veloflux.identity.passkeys import NAME_MAX
from veloflux.kit.page import Page

PasskeyPath = Annotated[str, Parameter(description="Id of the passkey", max_length=64)]
PasskeyName = Annotated[str, Meta(min_length=1, max_length=NAME_MAX, examples=["Telephone"])]
CredentialJson = Annotated[dict[str, Any], Meta(description="PublicKeyCredential.toJSON() of the browser")]
OptionsJson = dict[str, Any]


class AddPasskey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: PasskeyName
    credential: CredentialJson


class RenamePasskey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: PasskeyName


class LogInByPasskey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    credential: CredentialJson


class PasskeyShown(msgspec.Struct, frozen=True, kw_only=True):
    """Times in epoch ms."""

    id: str
    name: str
    created_at: int
    used_at: int | None

    @classmethod
    def of(cls, passkey: Passkey) -> "PasskeyShown":
        return msgspec.convert(passkey, cls, from_attributes=True)


@post(
    "/api/auth/passkey/options",
    operation_id="auth.passkey_options",
    access="public",
    summary="Begin to log in by a passkey",
    tags=["auth"],
    status_code=200,
)
async def log_in_options(ctx: Context) -> OptionsJson:
    """The options of `navigator.credentials.get`; they are good for five minutes and one answer."""
    return await identity.begin_passkey_log_in(ctx)


@post(
    "/api/auth/passkey",
    operation_id="auth.passkey",
    access="public",
    summary="Log in by a passkey alone",
    tags=["auth"],
    status_code=200,
)
async def log_in(ctx: Context, data: LogInByPasskey) -> LoggedIn:
    """The passkey must have verified its user: it is both factors."""
    signed_in = await identity.log_in_by_passkey(ctx, data.credential)
    return LoggedIn(signed_in.token, signed_in.ends_at, signed_in.person)


@post(
    "/api/auth/step-up/options",
    operation_id="auth.step_up_options",
    access="person",
    summary="Begin to prove a passkey for the session in use",
    tags=["auth"],
    status_code=200,
)
async def step_up_options(ctx: Context) -> OptionsJson:
    return await identity.begin_step_up(ctx)


@post(
    "/api/auth/passkeys/options",
    operation_id="passkeys.begin",
    access="person",
    summary="Begin to add a passkey",
    tags=["auth"],
    status_code=200,
)
async def begin(ctx: Context) -> OptionsJson:
    """The options of `navigator.credentials.create`; they are good for five minutes and one answer."""
    return await identity.begin_passkey(ctx)


@post(
    "/api/auth/passkeys",
    operation_id="passkeys.create",
    access="person",
    summary="Add a passkey",
    tags=["auth"],
    status_code=201,
)
async def add(ctx: Context, data: AddPasskey) -> RecoveryCodesShown:
    """With the first factor come recovery codes."""
    return RecoveryCodesShown(await identity.add_passkey(ctx, data.name, data.credential))


@get("/api/auth/passkeys", operation_id="passkeys.list", access="person", summary="List my passkeys", tags=["auth"])
async def list_passkeys(ctx: Context) -> Page[PasskeyShown]:
    found = await identity.read_factors(ctx.db, ctx.actor.person)
    return Page([PasskeyShown.of(one) for one in found.passkeys])


@patch(
    "/api/auth/passkeys/{passkey:str}",
    operation_id="passkeys.rename",
    access="person",
    summary="Rename a passkey of mine",
    tags=["auth"],
    status_code=204,
)
async def rename(ctx: Context, passkey: PasskeyPath, data: RenamePasskey) -> None:
    await identity.rename_passkey(ctx, passkey, data.name)


@delete(
    "/api/auth/passkeys/{passkey:str}",
    operation_id="passkeys.remove",
    access="person",
    summary="Remove a passkey of mine",
    tags=["auth"],
)
async def remove(ctx: Context, passkey: PasskeyPath) -> None:
    """The last way in cannot be removed."""
    await identity.remove_passkey(ctx, passkey)


ROUTES = (log_in_options, log_in, step_up_options, begin, add, list_passkeys, rename, remove)
