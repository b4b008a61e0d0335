"""`veloflux auth`, `veloflux sessions`: accounts, and the sessions of one's own."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from veloflux import identity
from veloflux.context import Context
from veloflux.errors import ImpersonationForbids, SecondFactorRequired
from veloflux.identity.ask_secret import (
    CodeFile,
    CurrentPasswordFile,
    LinkTokenFile,
    PasswordFile,
    TokenFile,
    ask_secret,
)
from veloflux.identity.factors_model import FactorAnswer
from veloflux.identity.model import Account
from veloflux.identity.sessions import Which
from veloflux.terminal import Json, run, show

auth = typer.Typer(no_args_is_help=True)
sessions = typer.Typer(no_args_is_help=True)
Answer = TypeVar("Answer")
Email = Annotated[str, typer.Option(help="E-mail address of the account")]
ACCOUNT = ("id", "name", "email")
SESSION = ("id", "device", "address", "factors", "created_at", "seen_at", "ends_at")


@auth.command()
def register(
    terminal: typer.Context,
    *,
    name: Annotated[str, typer.Option(help="Name of the person")],
    email: Email,
    password_file: PasswordFile = "",
    json: Json = False,
) -> None:
    """Create an account at once, without an e-mail to its address."""
    password = ask_secret(password_file, "Password")
    user = run(terminal, lambda ctx: identity.register(ctx, name=name, email=email, password=password))
    show(Account(id=user.id, name=user.name, email=user.email), json=json, columns=ACCOUNT)


@auth.command()
def verify(terminal: typer.Context, token_file: LinkTokenFile = "", json: Json = False) -> None:
    """Confirm an address by the token of the link that was sent to it, and so create the account."""
    token = ask_secret(token_file, "Token")
    user = run(terminal, lambda ctx: identity.confirm_registration(ctx, token))
    show(Account(id=user.id, name=user.name, email=user.email), json=json, columns=ACCOUNT)


@auth.command()
def password_reset(terminal: typer.Context, *, email: Email) -> None:
    """Have a link sent that sets a new password, if the address has an account."""
    run(terminal, lambda ctx: identity.request_password_reset(ctx, email))


@auth.command()
def password_reset_confirm(
    terminal: typer.Context, token_file: LinkTokenFile = "", password_file: PasswordFile = ""
) -> None:
    """Set a new password by the token of a link, and end all sessions of the person."""
    token, password = ask_secret(token_file, "Token"), ask_secret(password_file, "Password")
    run(terminal, lambda ctx: identity.reset_password(ctx, token, password))


@auth.command()
def login(
    terminal: typer.Context,
    *,
    email: Email,
    password_file: PasswordFile = "",
    code_file: CodeFile = "",
    json: Json = False,
) -> None:
    """Start a session; prints its token. Asks for a code if there is a second factor."""
    password = ask_secret(password_file, "Password")
    try:
        signed_in = run(terminal, lambda ctx: identity.log_in(ctx, email, password))
    except SecondFactorRequired as asked:
        challenge, code = asked.extra["challenge"], ask_secret(code_file, "Code")
        signed_in = run(terminal, lambda ctx: identity.finish_log_in(ctx, challenge, FactorAnswer(code=code)))
    if json:
        show(signed_in, json=True)
    else:
        typer.echo(signed_in.token)


@auth.command()
def logout(terminal: typer.Context, token_file: TokenFile = "") -> None:
    """End the session of a token."""
    as_person(terminal, token_file, identity.log_out)


@auth.command()
def me(terminal: typer.Context, token_file: TokenFile = "", json: Json = False) -> None:
    """Say who a token is."""
    token = ask_secret(token_file, "Token")
    caller = run(terminal, lambda ctx: identity.authenticate(ctx.parts, token))
    show(caller.person, json=json, columns=("id", "name", "email", "language"))


@auth.command()
def password(
    terminal: typer.Context,
    token_file: TokenFile = "",
    current_password_file: CurrentPasswordFile = "",
    password_file: PasswordFile = "",
) -> None:
    """Change the password of the person that a token is, and end their other sessions."""
    token = ask_secret(token_file, "Token")
    current, new = ask_secret(current_password_file, "Present password"), ask_secret(password_file, "New password")
    _as(terminal, token, lambda ctx: identity.change_password(ctx, current, new))


@auth.command()
def email(
    terminal: typer.Context,
    *,
    email: Annotated[str, typer.Option(help="The new address")],
    token_file: TokenFile = "",
    current_password_file: CurrentPasswordFile = "",
) -> None:
    """Have links sent to a new address and to the present one of the person that a token is."""
    token, current = ask_secret(token_file, "Token"), ask_secret(current_password_file, "Present password")
    _as(terminal, token, lambda ctx: identity.request_email_change(ctx, email, current))


@auth.command()
def email_confirm(terminal: typer.Context, token_file: LinkTokenFile = "") -> None:
    """Confirm a change of address by the token of a link; says whether the other one is still to be opened."""
    token = ask_secret(token_file, "Token")
    is_done = run(terminal, lambda ctx: identity.confirm_email_change(ctx, token))
    typer.echo("The address was changed." if is_done else "Confirmed; the link sent to the other address is awaited.")


@auth.command()
def email_refuse(terminal: typer.Context, token_file: LinkTokenFile = "") -> None:
    """Refuse a change of address by the token of either link."""
    token = ask_secret(token_file, "Token")
    run(terminal, lambda ctx: identity.refuse_email_change(ctx, token))


@sessions.command("list")
def list_(terminal: typer.Context, token_file: TokenFile = "", json: Json = False) -> None:
    """List the sessions of the person that a token is."""
    show(as_person(terminal, token_file, identity.list_sessions), json=json, columns=SESSION)


@sessions.command()
def end(terminal: typer.Context, session: str, token_file: TokenFile = "") -> None:
    """End one of the sessions of the person that a token is."""
    as_person(terminal, token_file, lambda ctx: identity.end_session(ctx, session))


@sessions.command("end-many")
def end_many(
    terminal: typer.Context,
    which: Annotated[Which, typer.Option(help="All but the token's own, or all")] = "others",
    token_file: TokenFile = "",
) -> None:
    """End the other sessions of the person that a token is, or all."""
    as_person(terminal, token_file, lambda ctx: identity.end_sessions(ctx, which))


def as_person(terminal: typer.Context, token_file: str, act: Callable[[Context], Awaitable[Answer]]) -> Answer:
    """Do a use case as the person that a token is."""
    return _as(terminal, ask_secret(token_file, "Token"), act)


def _as(terminal: typer.Context, token: str, act: Callable[[Context], Awaitable[Answer]]) -> Answer:
    async def acting(ctx: Context) -> Answer:
        person = await identity.authenticate(ctx.parts, token)
        if person.impersonator:
            raise ImpersonationForbids("Only the person can do this; end the impersonation")
        return await act(ctx.acting(person.actor()))

    return run(terminal, acting)
