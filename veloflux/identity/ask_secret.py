"""Passwords and tokens at the terminal: from a file or standard input, or typed unseen; never from the command line."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from veloflux.errors import InputInvalid

PasswordFile = Annotated[
    str, typer.Option("--password-file", help="File with the password, - for standard input; empty: asked for")
]
TokenFile = Annotated[
    str, typer.Option("--token-file", help="File with the session's token, - for standard input; empty: asked for")
]
CurrentPasswordFile = Annotated[
    str,
    typer.Option(
        "--current-password-file", help="File with the present password, - for standard input; empty: asked for"
    ),
]
LinkTokenFile = Annotated[
    str, typer.Option("--token-file", help="File with the link's token, - for standard input; empty: asked for")
]

CodeFile = Annotated[
    str, typer.Option("--code-file", help="File with the code, - for standard input; empty: asked for")
]


def ask_secret(file: str, what: str) -> str:
    """The first line of a file or of standard input, or what is typed.

    :raises InputInvalid: the file cannot be read.
    """
    if not file:
        return str(typer.prompt(what, hide_input=True, err=True))
    try:
        text = sys.stdin.readline() if file == "-" else Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputInvalid(f"The {what.lower()} cannot be read from {file}: {error}") from None
    return text.splitlines()[0] if text else ""
