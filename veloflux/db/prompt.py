"""`veloflux redis-cli`: the installed redis-cli or valkey-cli on the right server, or a small prompt of our own."""

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

import redis

from veloflux.db import embedded
from veloflux.settings import Settings


def run(settings: Settings, arguments: Sequence[str]) -> None:
    """Run one command, or open a prompt."""
    url = settings.redis_url or embedded.connection_url(settings)
    program = shutil.which("redis-cli") or shutil.which("valkey-cli")
    if program:
        _become(program, url, arguments)
    client = redis.Redis.from_url(url, decode_responses=True)
    if arguments:
        _answer(client, arguments)
    else:
        _prompt(client)


def _become(program: str, url: str, arguments: Sequence[str]) -> None:
    """Hand over to the real client; the password goes by environment, where no process list shows it."""
    parts = urlsplit(url)
    if parts.password:
        os.environ["REDISCLI_AUTH"] = os.environ["VALKEYCLI_AUTH"] = unquote(parts.password)
    if parts.scheme == "unix":
        where = ["-s", unquote(parts.path)]
    else:
        tls = ["--tls"] if parts.scheme == "rediss" else []
        where = [*tls, "-c", "-h", parts.hostname or "localhost", "-p", str(parts.port or 6379)]
    user = ["--user", unquote(parts.username)] if parts.username else []
    os.execv(program, [program, "--no-auth-warning", *where, *user, *arguments])  # noqa: S606


def _prompt(client: redis.Redis) -> None:
    while True:
        try:
            line = input("redis> ")
        except (EOFError, KeyboardInterrupt):
            return
        try:
            words = shlex.split(line)
        except ValueError as error:
            sys.stderr.write(f"{error}\n")
            continue
        if words and words[0].lower() in ("exit", "quit"):
            return
        if words:
            _answer(client, words)


def _answer(client: redis.Redis, words: Sequence[str]) -> None:
    try:
        _print(client.execute_command(*words), "")
    except redis.RedisError as error:
        sys.stdout.write(f"(error) {error}\n")


def _print(value: object, indent: str) -> None:
    if isinstance(value, dict):
        value = [part for pair in value.items() for part in pair]
    if not isinstance(value, list | tuple | set):
        sys.stdout.write(f"{'(nil)' if value is None else value}\n")
        return
    if not value:
        sys.stdout.write("(empty)\n")
    for number, item in enumerate(value, 1):
        sys.stdout.write(f"{indent if number > 1 else ''}{number}) ")
        _print(item, indent + "   ")
