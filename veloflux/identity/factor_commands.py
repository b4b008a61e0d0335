"""`veloflux totp`, `veloflux passkeys`, `veloflux recovery-codes`, and the second factor of `veloflux auth`."""

from typing import Annotated

import typer

from veloflux import identity
from veloflux.identity.ask_secret import CodeFile, PasswordFile, TokenFile, ask_secret
from veloflux.identity.commands import as_person, auth
from veloflux.identity.factors_model import FactorAnswer
from veloflux.terminal import Json, run, show

totp = typer.Typer(no_args_is_help=True)
recovery_codes = typer.Typer(no_args_is_help=True)
passkeys = typer.Typer(no_args_is_help=True)
PASSKEY = ("id", "name", "created_at", "used_at")
ChallengeFile = Annotated[
    str, typer.Option("--challenge-file", help="File with the challenge, - for standard input; empty: asked for")
]


@auth.command()
def second_factor(
    terminal: typer.Context, challenge_file: ChallengeFile = "", code_file: CodeFile = "", json: Json = False
) -> None:
    """End a log-in by a code, with the challenge that the log-in answered; prints the session's token."""
    challenge, code = ask_secret(challenge_file, "Challenge"), ask_secret(code_file, "Code")
    signed_in = run(terminal, lambda ctx: identity.finish_log_in(ctx, challenge, FactorAnswer(code=code)))
    if json:
        show(signed_in, json=True)
    else:
        typer.echo(signed_in.token)


@auth.command()
def step_up(terminal: typer.Context, token_file: TokenFile = "", code_file: CodeFile = "") -> None:
    """Prove a second factor for the session of a token."""
    code = ask_secret(code_file, "Code")
    as_person(terminal, token_file, lambda ctx: identity.step_up(ctx, FactorAnswer(code=code)))


@totp.command()
def enrol(terminal: typer.Context, token_file: TokenFile = "", json: Json = False) -> None:
    """Begin to add an authenticator app; prints its secret this once."""
    show(as_person(terminal, token_file, identity.enrol_totp), json=json, columns=("secret", "uri"))


@totp.command()
def confirm(terminal: typer.Context, token_file: TokenFile = "", code_file: CodeFile = "") -> None:
    """Add the authenticator app by a code of it; prints recovery codes, one a line, if there were none."""
    code = ask_secret(code_file, "Code")
    for one in as_person(terminal, token_file, lambda ctx: identity.confirm_totp(ctx, code)):
        typer.echo(one)


@totp.command()
def remove(terminal: typer.Context, token_file: TokenFile = "", password_file: PasswordFile = "") -> None:
    """Remove the authenticator app, by the password."""
    password = ask_secret(password_file, "Password")
    as_person(terminal, token_file, lambda ctx: identity.remove_totp(ctx, password=password))


@recovery_codes.command()
def create(terminal: typer.Context, token_file: TokenFile = "") -> None:
    """Make new recovery codes and print them, one a line; those before are void."""
    for one in as_person(terminal, token_file, identity.make_recovery_codes):
        typer.echo(one)


@passkeys.command("list")
def list_passkeys(terminal: typer.Context, token_file: TokenFile = "", json: Json = False) -> None:
    """List the passkeys of the person that a token is."""
    found = as_person(terminal, token_file, lambda ctx: identity.read_factors(ctx.db, ctx.actor.person))
    show(found.passkeys, json=json, columns=PASSKEY)


@passkeys.command()
def rename(
    terminal: typer.Context, passkey: str, *, name: Annotated[str, typer.Option()], token_file: TokenFile = ""
) -> None:
    """Rename a passkey of the person that a token is."""
    as_person(terminal, token_file, lambda ctx: identity.rename_passkey(ctx, passkey, name))


@passkeys.command("remove")
def remove_passkey(terminal: typer.Context, passkey: str, token_file: TokenFile = "") -> None:
    """Remove a passkey of the person that a token is."""
    as_person(terminal, token_file, lambda ctx: identity.remove_passkey(ctx, passkey))
