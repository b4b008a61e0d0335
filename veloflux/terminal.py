"""What every command does: connect to the running instance, act as the person at the terminal, show the answer.

`--json` prints one document on stdout; everything else is for people and goes to stderr, or to stdout as a table.
"""

import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec
import typer
import uvloop
from rich.console import Console
from rich.table import Table

from veloflux.context import Context, Parts, at_terminal
from veloflux.errors import InputInvalid

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document")]
TenantOption = Annotated[str, typer.Option("--tenant", help="Slug or id of the tenant")]
Answer = TypeVar("Answer")
Wanted = TypeVar("Wanted")
PIPED_WIDTH = 10_000

# What is piped is read by programs: no line of it is broken.
out = Console(width=None if sys.stdout.isatty() else PIPED_WIDTH)
err = Console(stderr=True)


class Instance(NamedTuple):
    """What commands work on, as `veloflux/cli.py` knows it; `within` makes a context one of a tenant (slug or id)."""

    connect: Callable[[], AbstractAsyncContextManager[Parts]]
    within: Callable[[Context, str], Awaitable[Context]]


def run(terminal: typer.Context, act: Callable[[Context], Awaitable[Answer]], *, tenant: str | None = None) -> Answer:
    """Do a use case as `cli:<os user>`, within a tenant if one is named by slug or id.

    :raises NotFound: no such tenant.
    """
    instance: Instance = terminal.obj

    async def session() -> Answer:
        async with instance.connect() as parts:
            ctx = Context(parts=parts, actor=at_terminal())
            return await act(ctx if tenant is None else await instance.within(ctx, tenant))

    return uvloop.run(session())


def parsed(kind: type[Wanted], **values: Any) -> Wanted:
    """What a command asks for, from its words, numbers as texts too.

    :raises InputInvalid: it is not what a use case takes.
    """
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise InputInvalid(str(error)) from None


def show(value: Any, *, json: bool, columns: Sequence[str] = ()) -> None:
    """Print a struct or a list of structs: as JSON, or as a table of these attributes."""
    if json:
        out.out(msgspec.json.encode(value).decode(), highlight=False)
        return
    rows = value if isinstance(value, list | tuple) else [value]
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")  # an id that is cut cannot be copied
    for row in rows:
        table.add_row(*(_cell(column, getattr(row, column)) for column in columns))
    out.print(table)


def _cell(column: str, value: Any) -> str:
    """Times are epoch ms in the data, and local time to the second on the screen."""
    if value is None or value == "":
        return "-"
    if isinstance(value, int) and (column in ("at", "until") or column.endswith("_at")):
        return datetime.fromtimestamp(value / 1000).astimezone().isoformat(" ", "seconds")
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {part}" for name, part in value.items())
    return str(value)


def say(sentence: str) -> None:
    """Tell the person something; never on stdout."""
    err.print(sentence, highlight=False, soft_wrap=True)  # a link that is broken into lines cannot be copied
