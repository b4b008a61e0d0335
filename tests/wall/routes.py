"""Every route of the product, from the OpenAPI document and from the application itself: none is listed by hand."""

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from litestar import Litestar

from tests.wall.factories import CONSOLE_FORMS, ENDING, factory_of, plain_value
from veloflux.tenants import ROLES
from veloflux.web import access, openapi
from veloflux.web.app import RAW

UNSAFE = access.UNSAFE
LOOKS_LIKE_AN_ID = re.compile(r"[a-z]{2,4}_[0-9a-z]{6,}")
OPEN_TO = frozenset({"public", "person", "session", "known", "key"})


class Part(NamedTuple):
    """Something of a request that names a thing of a tenant: its place is path, query or body."""

    place: str
    name: str
    factory: Any


class Route(NamedTuple):
    """`rule` is what its decorator declares: one of OPEN_TO, or a permission, which with `of_platform` is one on the
    platform; `sso` whether who came by a tenant's provider may use it though it is about a person; `body` has what
    names nothing.
    """

    method: str
    path: str
    operation: str
    rule: str
    of_platform: bool
    sso: bool
    parts: tuple[Part, ...]
    body: Any
    is_page: bool

    def __str__(self) -> str:
        return f"{self.method} {self.path} ({self.operation})"

    @property
    def changes(self) -> bool:
        return self.method in UNSAFE

    @property
    def is_tenants(self) -> bool:
        return self.rule not in OPEN_TO and not self.of_platform

    def request(self, values: Mapping[Part, str]) -> dict[str, Any]:
        """Arguments of httpx2; a part without a value is left out where it may be."""
        path, body, query = self.path, self.body, dict(ENDING.get(self.operation, {}))
        for part, value in values.items():
            match part.place:
                case "path":
                    path = path.replace(f"{{{part.name}}}", value)
                case "query":
                    query[part.name] = value
                case _:
                    body = body | {part.name: value}
        sent = {"data": body} if self.is_page and self.changes else {"json": body} if body is not None else {}
        return {"method": self.method, "url": path, "params": query, **sent}


def routes(app: Litestar) -> list[Route]:
    """All of them, of the API and the console.

    :raises AssertionError: of a parameter it is not known what it names; says what to add where.
    """
    unknown: list[str] = []
    api = list(_of_api(app, unknown))
    found = api + list(_of_console(app, api, unknown))
    assert not unknown, "The wall cannot try these; add them to tests/wall/factories.py:\n" + "\n".join(unknown)
    assert len(found) > 80
    return found


def _of_api(app: Litestar, unknown: list[str]) -> Iterator[Route]:
    document = openapi.document(app)
    handlers = _handlers(app)
    raw = {operation for operation, _ in RAW.values()}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            name = operation["operationId"]
            rule = ("key", False, False) if name in raw else _rule(handlers[name].opt)
            body, of_body = _body(name, operation.get("requestBody"), document["components"]["schemas"], unknown)
            parts = (*_in_path(name, path, unknown), *_in_query(name, operation.get("parameters", ()), unknown))
            yield Route(method.upper(), path, name, *rule, (*parts, *of_body), body, is_page=False)


def _of_console(app: Litestar, api: list[Route], unknown: list[str]) -> Iterator[Route]:
    """What a form sends is called as in the body of the API's route."""
    twins = {route.operation: route for route in api}
    for name, handler in _handlers(app).items():
        if not name.startswith("console."):
            continue
        operation = name.removeprefix("console.")
        twin = twins.get(operation)
        form = {key: _as_text(value) for key, value in (twin.body or {}).items()} if twin else {}
        for declared in sorted(handler.paths):
            path = re.sub(r":\w+}", "}", declared)
            parts = [*_in_path(operation, path, unknown), *_in_page_query(operation, path, handler, unknown)]
            held = {part.name for part in parts}
            parts += [part for part in (twin.parts if twin else ()) if part.place == "body" and part.name not in held]
            for method in sorted(handler.http_methods & {"GET", *UNSAFE}):
                body = form | CONSOLE_FORMS.get(operation, {})
                yield Route(method, path, operation, *_rule(handler.opt), tuple(parts), body, is_page=True)


def _in_page_query(operation: str, path: str, handler: Any, unknown: list[str]) -> Iterator[Part]:
    for name, field in handler.parsed_fn_signature.parameters.items():
        if f"{{{name}}}" not in path and field.annotation is str:
            yield from _named("query", operation, name, unknown)


def _handlers(app: Litestar) -> dict[str, Any]:
    found = [handler for route in app.routes for handler in getattr(route, "route_handlers", ())]
    return {str(handler.operation_id): handler for handler in found if handler.operation_id}


def _rule(declared: Mapping[str, Any]) -> tuple[str, bool, bool]:
    """The rule, whether it is of the platform, and whether sign-in by a tenant's provider is enough."""
    rule = str(declared.get("permission") or declared.get("platform") or declared.get("access"))
    assert ":" in rule or rule in OPEN_TO, f"say in tests/wall/world.py how access={rule!r} is tried, and add it here"
    return rule, "platform" in declared, bool(declared.get("sso"))


def _in_path(operation: str, path: str, unknown: list[str]) -> Iterator[Part]:
    segments = path.split("/")
    for before, segment in itertools.pairwise(segments):
        if segment.startswith("{"):
            name = segment.strip("{}")
            yield from _named("path", operation, name, unknown, before)


def _in_query(operation: str, parameters: Any, unknown: list[str]) -> Iterator[Part]:
    for parameter in parameters:
        schemas = parameter["schema"].get("oneOf", [parameter["schema"]])
        is_text = any(one.get("type") == "string" and not {"enum", "format"} & one.keys() for one in schemas)
        if parameter["in"] == "query" and is_text:
            name = parameter["name"]
            yield from _named("query", operation, name, unknown)


def _named(place: str, operation: str, name: str, unknown: list[str], before: str = "") -> Iterator[Part]:
    factory, plain = factory_of(operation, name, before), plain_value(operation, name, before)
    if factory:
        yield Part(place, name, factory)
    elif plain is not None and place == "path":
        yield Part(place, name, plain)
    elif plain is None:
        what = f"{operation}: {before}/{{{name}}}" if before else f"{operation}: the query {name!r}"
        unknown.append(f"{what} has neither a factory (FACTORIES) nor a value that names nothing (NO_ID)")


def _body(operation: str, asked: Any, shapes: dict[str, Any], unknown: list[str]) -> tuple[Any, tuple[Part, ...]]:
    """What fits as far as examples tell, and the fields that name something."""
    if asked is None:
        return None, ()
    shape = _resolved(asked["content"]["application/json"]["schema"], shapes)
    body: dict[str, Any] = {}
    parts: list[Part] = []
    for name, field in shape.get("properties", {}).items():
        factory, given = factory_of(operation, name), plain_value(operation, name)
        value = _example(_resolved(field, shapes)) if given is None else given
        is_required = name in shape.get("required", ()) or given is not None
        if factory:
            parts.append(Part("body", name, factory))
        elif is_required and value is None:
            unknown.append(f"{operation}: its field {name!r} has no example, no factory and no entry in NO_ID")
        elif isinstance(value, str) and LOOKS_LIKE_AN_ID.fullmatch(value):
            unknown.append(f"{operation}: its field {name!r} holds an id, as {value!r} shows: give it a factory")
        elif is_required:
            body[name] = value
    return body, tuple(parts)


def _resolved(field: dict[str, Any], shapes: dict[str, Any]) -> dict[str, Any]:
    """A schema itself, or the first of those that it may be."""
    while True:
        choices = field.get("oneOf") or field.get("anyOf") or field.get("allOf")
        if "$ref" in field:
            field = field | shapes.get(field["$ref"].rpartition("/")[2], {})
            field.pop("$ref")
        elif choices and "properties" not in field and "enum" not in field and "examples" not in field:
            chosen = next((choice for choice in choices if choice.get("type") == "object"), choices[0])
            field = chosen | {key: field[key] for key in ("default",) if key in field}
        else:
            return field


def asking_in_globex(route: Route) -> str:
    """Who gets as far as what a request names: Globex's owner or key, an operator where no owner may."""
    if route.rule == "key":
        return "key of Globex"
    return "olivia" if route.is_tenants and route.rule not in ROLES["owner"] else "carol"


def _example(field: dict[str, Any]) -> Any:
    if examples := field.get("examples") or field.get("enum"):
        return examples[0]
    if "const" in field:
        return field["const"]
    if "default" in field:
        return field["default"]
    empty = {"integer": field.get("minimum", 1), "number": 1, "boolean": False, "array": [], "object": {}}
    return empty.get(field.get("type", ""))


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value in (None, [], {}) else str(value)
