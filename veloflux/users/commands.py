"""`veloflux users`: all people, and what may be done to their accounts."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from veloflux import identity, users
from veloflux.context import PLATFORM, Context
from veloflux.identity import Language
from veloflux.identity.ask_secret import TokenFile, ask_secret
from veloflux.kit import page
from veloflux.terminal import Json, run, show

app = typer.Typer(no_args_is_help=True)
Answer = TypeVar("Answer")
User = Annotated[str, typer.Argument(help="Id of the person")]
USER = ("id", "name", "email", "status", "platform_role", "created_at")


@app.command("list")
def list_(
    terminal: typer.Context,
    *,
    search: Annotated[str, typer.Option(help="How the e-mail address or the name begins")] = "",
    role: Annotated[str, typer.Option(help="Only those with this role on the platform")] = "",
    cursor: Annotated[str, typer.Option(help="Go on where an earlier page ended")] = "",
    limit: Annotated[int, typer.Option(min=1, max=page.LIMIT_MAX)] = page.LIMIT,
    json: Json = False,
) -> None:
    """List people, latest first."""
    found = _ruling(terminal, lambda ctx: users.list_people(ctx, query=search, role=role, cursor=cursor, limit=limit))
    show(found if json else found.items, json=json, columns=USER)


@app.command("show")
def show_(terminal: typer.Context, user: User, json: Json = False) -> None:
    """Show a person: tenants, open sessions, when they were last seen."""
    person = _ruling(terminal, lambda ctx: users.show_person(ctx, user))
    show(person, json=json, columns=(*USER, "sessions", "seen_at"))
    if not json:
        show(person.tenants, json=False, columns=("id", "slug", "name", "role"))


@app.command()
def create(
    terminal: typer.Context,
    *,
    name: Annotated[str, typer.Option(help="Name of the person")],
    email: Annotated[str, typer.Option(help="E-mail address to sign in with")],
    language: Annotated[Language, typer.Option(help="Language of messages")] = "en",
    json: Json = False,
) -> None:
    """Create a person, who gets a link to set a password."""
    made = _ruling(terminal, lambda ctx: users.create_person(ctx, name=name, email=email, language=language))
    show(made, json=json, columns=USER)


@app.command()
def rename(terminal: typer.Context, user: User, name: str, json: Json = False) -> None:
    """Give a person another name."""
    show(_ruling(terminal, lambda ctx: users.rename_person(ctx, user, name)), json=json, columns=USER)


@app.command()
def disable(terminal: typer.Context, user: User, json: Json = False) -> None:
    """End a person's sessions and let none begin."""
    show(_ruling(terminal, lambda ctx: users.disable_person(ctx, user)), json=json, columns=USER)


@app.command()
def enable(terminal: typer.Context, user: User, json: Json = False) -> None:
    """Let a disabled person sign in again."""
    show(_ruling(terminal, lambda ctx: users.enable_person(ctx, user)), json=json, columns=USER)


@app.command()
def end_sessions(terminal: typer.Context, user: User) -> None:
    """End all sessions of a person."""
    _ruling(terminal, lambda ctx: users.end_sessions(ctx, user))


@app.command()
def remove_factors(terminal: typer.Context, user: User) -> None:
    """Take away the second factors of a person who lost them."""
    _ruling(terminal, lambda ctx: users.remove_factors(ctx, user))


@app.command()
def delete(terminal: typer.Context, user: User) -> None:
    """Disable a person, and erase them after some days unless enabled again; refused for a tenant's last owner."""
    _ruling(terminal, lambda ctx: users.delete_person(ctx, user))


@app.command()
def impersonate(
    terminal: typer.Context,
    user: User,
    *,
    reason: Annotated[str, typer.Option(help="Why; the trail keeps it")],
    minutes: Annotated[int, typer.Option(min=1, max=identity.MINUTES_MAX)] = identity.MINUTES,
    json: Json = False,
) -> None:
    """Act as a person, who is told by e-mail; prints the session's token."""
    signed_in = _ruling(terminal, lambda ctx: users.impersonate(ctx, user, reason, minutes))
    if json:
        show(signed_in, json=True)
    else:
        typer.echo(signed_in.token)


@app.command()
def stop_impersonating(terminal: typer.Context, token_file: TokenFile = "") -> None:
    """End the impersonation of a token."""
    token = ask_secret(token_file, "Token")

    async def stop(ctx: Context) -> None:
        person = await users.authenticate(ctx.parts, token)
        await identity.stop_impersonation(ctx.acting(person.actor()))

    run(terminal, stop)


def _ruling(terminal: typer.Context, act: Callable[[Context], Awaitable[Answer]]) -> Answer:
    return run(terminal, act, tenant=PLATFORM)
