"""Routes of people, for those who run the installation."""

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import Parameter
from msgspec import Meta

from veloflux import identity, users
from veloflux.context import Context
from veloflux.identity.api import Email, LoggedIn, PersonName
from veloflux.identity.impersonation import REASON_MAX
from veloflux.identity.model import Language
from veloflux.kit import page
from veloflux.kit.page import Page
from veloflux.users.people import PersonShown, UserShown

Query = Annotated[str, Parameter(max_length=254, description="How the e-mail address or the name begins")]
PlatformRole = Annotated[str, Parameter(max_length=40, description="operator, support, finance or read-only")]
Limit = Annotated[int, Parameter(ge=1, le=page.LIMIT_MAX)]


class CreateUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: PersonName
    email: Email
    language: Language = "en"


class Impersonate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: Annotated[str, Meta(min_length=1, max_length=REASON_MAX, examples=["Ticket 4711: usage looks wrong"])]
    minutes: Annotated[int, Meta(ge=1, le=identity.MINUTES_MAX)] = identity.MINUTES


class RenameUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: PersonName


@get("/api/admin/users", operation_id="users.list", platform="users:read", summary="List people", tags=["admin"])
async def list_users(
    ctx: Context, *, q: Query = "", role: PlatformRole = "", cursor: str = "", limit: Limit = page.LIMIT
) -> Page[UserShown]:
    """Latest first; or those of a role on the platform; or those that `q` finds, whatever the case and the accents."""
    return await users.list_people(ctx, query=q, role=role, cursor=cursor, limit=limit)


@get(
    "/api/admin/users/{user:str}",
    operation_id="users.show",
    platform="users:read",
    summary="Show a person",
    tags=["admin"],
)
async def show_user(ctx: Context, user: str) -> PersonShown:
    return await users.show_person(ctx, user)


@post(
    "/api/admin/users",
    operation_id="users.create",
    platform="users:write",
    summary="Create a person, who gets a link to set a password",
    tags=["admin"],
    status_code=201,
)
async def create_user(ctx: Context, data: CreateUser) -> UserShown:
    """The link works once, within a week."""
    return await users.create_person(ctx, name=data.name, email=data.email, language=data.language)


@post(
    "/api/admin/users/{user:str}/rename",
    operation_id="users.rename",
    platform="users:write",
    summary="Give a person another name",
    tags=["admin"],
    status_code=200,
)
async def rename_user(ctx: Context, user: str, data: RenameUser) -> UserShown:
    return await users.rename_person(ctx, user, data.name)


@post(
    "/api/admin/users/{user:str}/disable",
    operation_id="users.disable",
    platform="users:write",
    summary="End a person's sessions and let none begin",
    tags=["admin"],
    status_code=200,
)
async def disable_user(ctx: Context, user: str) -> UserShown:
    return await users.disable_person(ctx, user)


@post(
    "/api/admin/users/{user:str}/enable",
    operation_id="users.enable",
    platform="users:write",
    summary="Let a disabled person sign in again",
    tags=["admin"],
    status_code=200,
)
async def enable_user(ctx: Context, user: str) -> UserShown:
    return await users.enable_person(ctx, user)


@post(
    "/api/admin/users/{user:str}/end-sessions",
    operation_id="users.end_sessions",
    platform="users:sign_out",
    summary="End all sessions of a person",
    tags=["admin"],
    status_code=204,
)
async def end_sessions(ctx: Context, user: str) -> None:
    await users.end_sessions(ctx, user)


@post(
    "/api/admin/users/{user:str}/remove-factors",
    operation_id="users.remove_factors",
    platform="users:write",
    summary="Take away the second factors of a person who lost them",
    tags=["admin"],
    status_code=200,
)
async def remove_factors(ctx: Context, user: str) -> UserShown:
    """All sessions end, and the person is told. Make sure first that it is the person who asks."""
    return await users.remove_factors(ctx, user)


@post(
    "/api/admin/users/{user:str}/delete",
    operation_id="users.delete",
    platform="users:write",
    summary="Delete a person",
    tags=["admin"],
    status_code=204,
)
async def delete_user(ctx: Context, user: str) -> None:
    """The account is disabled at once, and erased after the days of grace unless it is enabled again before.

    Refused for the last owner of a tenant.
    """
    await users.delete_person(ctx, user)


@post(
    "/api/admin/users/{user:str}/impersonate",
    operation_id="users.impersonate",
    platform="users:impersonate",
    summary="Act as a person, for a time and with a reason",
    tags=["admin"],
    status_code=201,
)
async def impersonate(ctx: Context, user: str, data: Impersonate) -> LoggedIn:
    """The person gets an e-mail, and the trail of what is done names both. Credentials cannot be changed."""
    signed_in = await users.impersonate(ctx, user, data.reason, data.minutes)
    return LoggedIn(signed_in.token, signed_in.ends_at, signed_in.person)


@post(
    "/api/auth/impersonation/end",
    operation_id="users.stop_impersonating",
    access="session",
    summary="End the impersonation in use",
    tags=["admin"],
    status_code=204,
)
async def stop_impersonating(ctx: Context) -> None:
    await identity.stop_impersonation(ctx)


ROUTES = (
    list_users,
    show_user,
    create_user,
    rename_user,
    disable_user,
    enable_user,
    end_sessions,
    remove_factors,
    delete_user,
    impersonate,
    stop_impersonating,
)
