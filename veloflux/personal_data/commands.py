"""`veloflux users export`, `veloflux auth personal-data|erase|keep`, `veloflux tenants export`."""

import sys
from collections.abc import AsyncIterator

import msgspec
import typer

from veloflux import identity, personal_data
from veloflux.context import Context
from veloflux.identity.ask_secret import CurrentPasswordFile, TokenFile, ask_secret
from veloflux.identity.commands import as_person
from veloflux.identity.model import User
from veloflux.terminal import Json, run, show

ERASURE = ("id", "status", "erase_at")


class Erasure(msgspec.Struct, frozen=True):
    """What is shown of a person whom it concerns."""

    id: str
    status: str
    erase_at: int | None


def export_person(terminal: typer.Context, person: str) -> None:
    """Print everything about a person (id) as one JSON array."""

    async def write(ctx: Context) -> None:
        await _print(personal_data.export_person(ctx, await identity.read_user(ctx.db, person)))

    run(terminal, write)


def export_own(
    terminal: typer.Context, token_file: TokenFile = "", current_password_file: CurrentPasswordFile = ""
) -> None:
    """Print everything about the person that a token is, as one JSON array."""

    async def write(ctx: Context) -> None:
        await _print(await personal_data.export_own(ctx, ask_secret(current_password_file, "Present password")))

    as_person(terminal, token_file, write)


def erase_own(
    terminal: typer.Context,
    token_file: TokenFile = "",
    current_password_file: CurrentPasswordFile = "",
    json: Json = False,
) -> None:
    """Have the person that a token is erased when the days of grace are over."""

    async def ask(ctx: Context) -> User:
        current = ask_secret(current_password_file, "Present password")
        return await personal_data.request_own_erasure(ctx, current)

    _show(as_person(terminal, token_file, ask), json=json)


def keep_own(terminal: typer.Context, token_file: TokenFile = "", json: Json = False) -> None:
    """Take back the wish of the person that a token is to be erased."""
    _show(as_person(terminal, token_file, lambda ctx: personal_data.cancel_erasure(ctx, ctx.actor.person)), json=json)


def export_tenant(terminal: typer.Context, tenant: str) -> None:
    """Print everything of a tenant as one JSON array."""
    run(terminal, lambda ctx: _print(personal_data.export_tenant(ctx)), tenant=tenant)


async def _print(pieces: AsyncIterator[bytes]) -> None:
    async for piece in pieces:
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


def _show(user: User, *, json: bool) -> None:
    show(Erasure(user.id, user.status, user.erase_at), json=json, columns=ERASURE)
