"""Routes of accounts and sessions."""

from typing import Annotated, Any

import msgspec
from litestar import Request, delete, get, post
from litestar.params import Parameter
from msgspec import Meta

from veloflux import identity
from veloflux.context import Context
from veloflux.identity.model import Caller, Language, Person, Session
from veloflux.identity.passwords import LENGTH_MAX, LENGTH_MIN
from veloflux.identity.register import NAME_MAX
from veloflux.identity.sessions import Which
from veloflux.kit.page import Page

PersonName = Annotated[str, Meta(min_length=1, max_length=NAME_MAX, examples=["Ana Souza"])]
Email = Annotated[str, Meta(min_length=3, max_length=254, examples=["ana@example.com"])]
NewPassword = Annotated[
    str,
    Meta(
        min_length=LENGTH_MIN,
        max_length=LENGTH_MAX,
        examples=["correct horse battery staple"],
        description="Any Unicode; a common password is refused",
    ),
]
LinkToken = Annotated[
    str, Meta(min_length=1, max_length=200, description="The last part of the link in the e-mail", examples=["0.0.0"])
]
SessionPath = Annotated[str, Parameter(description="Id of the session", max_length=64)]


class Register(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: PersonName
    email: Email
    password: NewPassword
    language: Annotated[Language, Meta(description="Language of messages to this person")] = "en"


class Registered(msgspec.Struct, frozen=True):
    name: str
    email: str


class MailAwaited(msgspec.Struct, frozen=True):
    """Says nothing of whether the address has an account: who has it reads what there is to read."""

    email: str


class Verify(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    token: LinkToken


class PasswordReset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    email: Email


class NewPasswordByLink(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    token: LinkToken
    password: NewPassword


class PasswordChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    current: Annotated[str, Meta(max_length=LENGTH_MAX, examples=["correct horse battery staple"])]
    password: NewPassword


class LogIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    email: Email
    password: Annotated[str, Meta(max_length=LENGTH_MAX, examples=["correct horse battery staple"])]


class LoggedIn(msgspec.Struct, frozen=True):
    """`token` goes into `Authorization: Bearer …`; `ends_at` is in epoch ms."""

    token: str
    ends_at: int
    person: Person


class SessionShown(msgspec.Struct, frozen=True):
    """Times in epoch ms; `seen_at` is exact to a minute. `device` and `address` are those of the log-in, `factors` what
    was proved for it.
    """

    id: str
    device: str
    address: str
    factors: tuple[str, ...]
    created_at: int
    seen_at: int
    ends_at: int
    is_current: bool


@post(
    "/api/auth/register",
    operation_id="auth.register",
    access="public",
    summary="Sign up",
    tags=["auth"],
    status_code=202,
)
async def register(ctx: Context, data: Register) -> MailAwaited:
    """A link goes to the address; opening it creates the account. If the address has one, its owner is told so."""
    await identity.start_registration(
        ctx, name=data.name, email=data.email, password=data.password, language=data.language
    )
    return MailAwaited(data.email)


@post(
    "/api/auth/verify",
    operation_id="auth.verify",
    access="public",
    summary="Confirm an address and so create the account",
    tags=["auth"],
    status_code=201,
)
async def verify(ctx: Context, data: Verify) -> Registered:
    user = await identity.confirm_registration(ctx, data.token)
    return Registered(user.name, user.email)


@post(
    "/api/auth/password-reset",
    operation_id="auth.password_reset",
    access="public",
    summary="Ask for a link that sets a new password",
    tags=["auth"],
    status_code=202,
)
async def password_reset(ctx: Context, data: PasswordReset) -> MailAwaited:
    """The link works once and within an hour. Whether the address has an account, the answer does not say."""
    await identity.request_password_reset(ctx, data.email)
    return MailAwaited(data.email)


@post(
    "/api/auth/password-reset/confirm",
    operation_id="auth.password_reset_confirm",
    access="public",
    summary="Set a new password by the token of a link",
    tags=["auth"],
    status_code=204,
)
async def password_reset_confirm(ctx: Context, data: NewPasswordByLink) -> None:
    """Ends all sessions of the person, and voids all other links."""
    await identity.reset_password(ctx, data.token, data.password)


@post("/api/auth/login", operation_id="auth.login", access="public", summary="Log in", tags=["auth"], status_code=200)
async def login(ctx: Context, data: LogIn) -> LoggedIn:
    """Answers a token for programs; browsers log in on the console's own page, which sets a cookie.

    Who has a second factor gets 401 `second_factor_required` with `challenge` and `methods`, to go on with.
    """
    signed_in = await identity.log_in(ctx, data.email, data.password)
    return LoggedIn(signed_in.token, signed_in.ends_at, signed_in.person)


@post(
    "/api/auth/logout",
    operation_id="auth.logout",
    access="session",
    sso=True,
    summary="End the session in use",
    tags=["auth"],
    status_code=204,
)
async def logout(ctx: Context) -> None:
    await identity.log_out(ctx)


@get("/api/auth/me", operation_id="auth.me", access="session", sso=True, summary="Who am I?", tags=["auth"])
async def me(ctx: Context, request: Request[Any, Any, Any]) -> Person:
    caller: Caller = request.scope["state"]["person"]
    return caller.person


@post(
    "/api/auth/password",
    operation_id="auth.password",
    access="person",
    summary="Change my password",
    tags=["auth"],
    status_code=204,
)
async def change_password(ctx: Context, data: PasswordChange) -> None:
    """Ends all sessions but the one in use."""
    await identity.change_password(ctx, data.current, data.password)


@get("/api/auth/sessions", operation_id="sessions.list", access="person", summary="List my sessions", tags=["auth"])
async def list_sessions(ctx: Context) -> Page[SessionShown]:
    return Page([_shown(session, ctx.actor.session) for session in await identity.list_sessions(ctx)])


@delete(
    "/api/auth/sessions/{session:str}",
    operation_id="sessions.end",
    access="person",
    summary="End one of my sessions",
    tags=["auth"],
)
async def end_session(ctx: Context, session: SessionPath) -> None:
    await identity.end_session(ctx, session)


@delete(
    "/api/auth/sessions",
    operation_id="sessions.end_many",
    access="person",
    summary="End my other sessions, or all",
    tags=["auth"],
)
async def end_sessions(ctx: Context, which: Which = "others") -> None:
    """From the next request on, none of their tokens is accepted."""
    await identity.end_sessions(ctx, which)


def _shown(session: Session, current: str) -> SessionShown:
    return SessionShown(
        session.id,
        session.device,
        session.address,
        session.factors,
        session.created_at,
        session.seen_at,
        session.ends_at,
        session.id == current,
    )


ROUTES = (
    register,
    verify,
    password_reset,
    password_reset_confirm,
    login,
    logout,
    me,
    change_password,
    list_sessions,
    end_session,
    end_sessions,
)
