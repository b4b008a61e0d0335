"""The generated pages of docs/: `python -m veloflux.docs` writes them, `--check` names those that are stale.

Each page is made from what the program itself uses, so it cannot tell anything else: the registry of keys, the
settings, the tree of errors, the events, the commands, the routes.
"""

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec
import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from veloflux import cli, data_layout, errors, events, settings, worker
from veloflux.billing import states
from veloflux.errors import VeloFluxError
from veloflux.events import Event
from veloflux.tenants import PERMISSIONS, ROLES
from veloflux.web import api_page, app, matrix, openapi

FOLDER = Path(__file__).parent.parent / "docs"
WRITTEN = "<!-- Written by `make docs`: edit the source, not this page. -->"
SETTINGS = """# Settings

A value comes from the first of: the environment; a file that the environment names (`VELOFLUX_SECRET_FILE`, for
secrets); `veloflux.toml` in the working directory, or where `VELOFLUX_CONFIG` says, with these names in small letters
and without the prefix; the default. `REDIS_URL` is accepted beside `VELOFLUX_REDIS_URL`."""
ERRORS = """# Errors

Every error of the API is a problem document (RFC 9457, `application/problem+json`). Its `code` is stable and one of
these; its `detail` is a sentence for the reader; its `request_id` stands in the log and in the audit trail."""
EVENTS = """# Events

What happened, in the stream of its owner: the audit trail and the outbox in one. Payloads hold ids, never personal
data."""
COMMANDS = """# Commands

`veloflux <part> <verb>`. With `--json` a command prints one JSON document on stdout; messages go to stderr. A command
finds the instance that runs on `./data`; `VELOFLUX_DATA_DIR` or `REDIS_URL` name another one."""
API = """# API

The whole contract, with an example of every body, is the OpenAPI document at `/api/schema` of a running server. The
console renders it under *API reference*. A route is for everybody (public), for a person who signed in (person), for
the operators' sessions and service keys (operator), for whoever has a permission in the tenant, or for an API key."""

SUBSCRIPTIONS = """# Subscriptions and invoices

What they can be, and every move between these states. Another one is refused with `move_impossible`. Without *to* a
move leaves the state as it is; *by* says what moves: a request, time that comes, a payment that comes or does not, the
answer of a provider."""
PERMISSIONS_HEAD = """# Permissions

Who may do what: a route names the permission that it needs, a role is a set of permissions. Beside these roles a tenant
can have 20 of its own (`/api/tenants/{tenant}/roles`); the console shows them all on its page *Roles*. Nobody gives,
changes or takes what they lack themselves; a change counts with the next request."""


def settings_page() -> str:
    """Every setting."""
    rows = [(_code(name), kind, _code(default), _plain(text)) for name, kind, default, text in settings.describe()]
    return _page(SETTINGS, _table(("setting", "type", "default", "meaning"), rows))


def errors_page() -> str:
    """Every error, and the tree that they make."""
    rows = [(_code(kind.code), str(kind.status), kind.__name__, _summary(kind)) for kind in every_error()]
    tree = inspect.cleandoc(errors.__doc__ or "").partition("\n\n")[2].strip()
    return _page(ERRORS, _table(("code", "status", "class", "meaning"), rows), f"## The tree\n\n```\n{tree}\n```")


def events_page() -> str:
    """Every event, its payload and its handlers."""
    return _page(EVENTS, *(_event(event) for event in every_event()))


def commands_page() -> str:
    """Every command, its arguments and options."""
    return _page(COMMANDS, *(_command(words, command) for words, command in every_command()))


def api_reference() -> str:
    """Every route by its tag."""
    schema = schema_of_routes()
    groups = sorted(api_page.groups_of(schema), key=lambda group: group.tag)
    return _page(API, *(_routes(group, schema) for group in groups))


def permissions_page() -> str:
    """Every permission, the roles that have it, and what it opens."""
    opened = matrix.opened({str(handler.operation_id): handler.opt for handler in app.API})
    rows = [
        (
            _code(name),
            text,
            *("yes" if name in ROLES[role] else "" for role in ROLES),
            ", ".join(map(_code, opened.get(name, ()))),
        )
        for name, text in PERMISSIONS.items()
    ]
    return _page(PERMISSIONS_HEAD, _table(("permission", "to", *ROLES, "opens"), rows))


def subscriptions_page() -> str:
    """Every state of subscriptions, invoices and fiscal documents, and every move."""
    return _page(SUBSCRIPTIONS, *_life(states.SUBSCRIPTION), *_life(states.INVOICE), *_life(states.FISCAL))


PAGES: Mapping[str, Callable[[], str]] = {
    "api.md": api_reference,
    "cli.md": commands_page,
    "data-layout.md": data_layout.as_text,
    "errors.md": errors_page,
    "events.md": events_page,
    "permissions.md": permissions_page,
    "settings.md": settings_page,
    "subscriptions.md": subscriptions_page,
}


def page(name: str) -> str:
    """The text of a generated page: its title, a word to whoever would edit it, the rest."""
    title, _, rest = PAGES[name]().strip().partition("\n")
    return f"{title}\n\n{WRITTEN}\n\n{rest.strip()}\n"


def stale() -> list[str]:
    """Names of the pages in docs/ that are missing, or do not say what the program says."""
    return [name for name in PAGES if not (FOLDER / name).exists() or (FOLDER / name).read_text("utf-8") != page(name)]


def every_error(kind: type[VeloFluxError] = VeloFluxError) -> Iterator[type[VeloFluxError]]:
    """The tree of errors, parents before children, in the order of veloflux/errors.py."""
    if kind is not VeloFluxError:
        yield kind
    for child in kind.__subclasses__():
        yield from every_error(child)


def every_event() -> list[type[Event]]:
    """The events, by name."""
    found = [kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event)]
    return sorted((kind for kind in found if kind is not Event), key=lambda kind: kind.name)


def every_command(group: TyperGroup | None = None, words: str = "veloflux") -> Iterator[tuple[str, TyperCommand]]:
    """Every command by its full name, in the order of `veloflux --help`."""
    found = group or typer.main.get_command(cli.app)
    assert isinstance(found, TyperGroup)
    for name, command in found.commands.items():
        if isinstance(command, TyperGroup):
            yield from every_command(command, f"{words} {name}")
        elif isinstance(command, TyperCommand):
            yield f"{words} {name}", command


def schema_of_routes() -> dict[str, Any]:
    """The OpenAPI document of every route, made without a server and its Redis."""
    return openapi.document(app.litestar(settings.Settings()))


def main() -> None:
    """Write the pages; with `--check`, end with 1 if one is stale."""
    if "--check" not in sys.argv[1:]:
        for name in PAGES:
            (FOLDER / name).write_text(page(name), "utf-8")
    elif names := stale():
        raise SystemExit(f"stale, `make docs` writes them: {', '.join(f'docs/{name}' for name in names)}")


def _life(life: states.Life[Any]) -> Iterator[str]:
    yield f"## {life.noun.capitalize()}"
    yield _table(("state", "meaning"), [(_code(state), meaning) for state, meaning in life.states.items()])
    yield f"```mermaid\n{states.diagram(life)}\n```"
    rows = [
        (_code(name), ", ".join(map(_code, found.origins)), _code(found.to or ""), found.by, found.meaning)
        for name, found in life.moves.items()
    ]
    yield _table(("move", "from", "to", "by", "meaning"), rows)


def _event(event: type[Event]) -> str:
    parts = [f"## {event.name}", _summary(event)]
    if fields := msgspec.structs.fields(event):
        parts.append(_table(("field", "type"), [(_code(field.name), _code(_type(field.type))) for field in fields]))
    if handlers := worker.TABLES.handlers(event.name):
        names = [_code(f"{handler.__module__}.{handler.__name__}") for handler in handlers]
        parts.append(f"Then a worker calls {', '.join(names)}.")
    return "\n\n".join(parts)


def _command(words: str, command: TyperCommand) -> str:
    rows = [_parameter(found) for found in command.params if found.name != "help"]
    table = [_table(("name", "type", "default", "meaning"), rows)] if rows else []
    return "\n\n".join([f"## {words}", inspect.cleandoc(command.help or ""), *table])


def _parameter(found: Any) -> tuple[str, str, str, str]:
    is_option = isinstance(found, TyperOption)
    names = ", ".join(map(_code, [*found.opts, *found.secondary_opts])) if is_option else _code(found.name.upper())
    kind = "" if is_option and found.is_bool_flag else _values(found)
    default = "" if found.default in (None, False, (), []) else _code(str(found.default))
    return names, kind, "required" if found.required else default, _plain(found.help or "")


def _values(found: Any) -> str:
    annotation = found.type_descriptor.annotation
    choices = get_args(annotation) if get_origin(annotation) is Literal else ()
    return ", ".join(map(_code, choices)) or str(found.bare_type())


def _routes(group: api_page.Group, schema: Mapping[str, Any]) -> str:
    rows = []
    for found in sorted(group.operations, key=lambda found: (found.path, found.method)):
        action = schema["paths"][found.path][found.method.lower()]["operationId"]
        rows.append((_code(f"{found.method} {found.path}"), _code(action), _who(action), found.summary))
    return f"## {group.tag}\n\n" + _table(("route", "action", "for", "what it does"), rows)


def _who(action: str) -> str:
    """What a route's declaration asks of whoever uses it."""
    rules = {handler.operation_id: handler.opt for handler in app.API}
    return (
        rules[action].get("access") or _code(rules[action].get("permission") or rules[action]["platform"])
        if action in rules
        else "API key"
    )


def _page(*parts: str) -> str:
    return "\n\n".join(parts)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _plain(text: str) -> str:
    """Text in which `<host>` is no HTML."""
    return text.replace("<", "&lt;")


def _summary(kind: type) -> str:
    """The docstring that a class has of its own, in one line."""
    return " ".join((vars(kind).get("__doc__") or "").split())


def _type(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


if __name__ == "__main__":
    main()
