"""`veloflux auth`, `veloflux sessions`: accounts, and the sessions of one's own."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from veloflux import identity
from veloflux.context import Context
from veloflux.identity.ask_secret import PasswordFile, TokenFile, ask_secret
from veloflux.identity.model import Account
from veloflux.identity.sessions import Which
from veloflux.terminal import Json, run, show

auth = typer.Typer(no_args_is_help=True)
sessions = typer.Typer(no_args_is_help=True)
Answer = TypeVar("Answer")
Email = Annotated[str, typer.Option(help="E-mail address of the account")]
ACCOUNT = ("id", "name", "email")
SESSION = ("id", "device", "address", "created_at", "seen_at", "ends_at")


@auth.command()
def register(
    terminal: typer.Context,
    *,
    name: Annotated[str, typer.Option(help="Name of the person")],
    email: Email,
    password_file: PasswordFile = "",
    json: Json = False,
) -> None:
    """Create an account."""
    password = ask_secret(password_file, "Password")
    user = run(terminal, lambda ctx: identity.register(ctx, name=name, email=email, password=password))
    show(Account(id=user.id, name=user.name, email=user.email), json=json, columns=ACCOUNT)


@auth.command()
def login(terminal: typer.Context, *, email: Email, password_file: PasswordFile = "", json: Json = False) -> None:
    """Start a session; prints its token."""
    password = ask_secret(password_file, "Password")
    signed_in = run(terminal, lambda ctx: identity.log_in(ctx, email, password))
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
    person = run(terminal, lambda ctx: identity.authenticate(ctx.parts, token))
    show(person, json=json, columns=("id", "name", "email", "language"))


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
    token = ask_secret(token_file, "Token")

    async def acting(ctx: Context) -> Answer:
        person = await identity.authenticate(ctx.parts, token)
        return await act(ctx.acting(person.actor()))

    return run(terminal, acting)
