"""The OpenAPI document: Litestar's, with the problems that every route can answer and the routes served beside it."""

from collections.abc import Mapping
from typing import Any, NoReturn

from litestar import Litestar, Request
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import OpenAPIRenderPlugin

from veloflux import __version__
from veloflux.errors import NotFound, QuotaExceeded
from veloflux.exports import api as exports
from veloflux.exports import ledger_api as ledger_exports
from veloflux.limits import api as limits
from veloflux.limits import reservations_api
from veloflux.metering import events_api, ingest
from veloflux.personal_data import api as personal_data
from veloflux.web.problems import MEDIA_TYPE


class Nowhere(OpenAPIRenderPlugin):
    """In the place of the framework's own pages, which it serves with other sites' scripts where none is chosen."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> NoReturn:
        raise NotFound("There is nothing at this address; the document is at /api/schema")


CONFIG = OpenAPIConfig(
    title="VeloFlux",
    version=__version__,
    description="The back end of a SaaS business, on one Redis.",
    path="/api/unused",
    render_plugins=[Nowhere(path="/openapi.json")],
    use_handler_docstrings=True,
)
ALWAYS = {
    400: "The request is malformed or invalid",
    413: "The body is too large",
    429: "A limit is reached; repeat after Retry-After seconds",
    500: "A fault of the server",
    503: "Redis is away or full; repeat after Retry-After seconds",
}
SIGNED_IN = {401: "No valid session, token or key", 403: "The permission is missing"}
CHANGING = {409: "The state of things forbids it"}
REACHED = {"description": "Only with the code quota_exceeded: see POST /api/check"}
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable; see docs/errors.md"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "The fields at fault",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
        **dict.fromkeys(sorted(QuotaExceeded.public), REACHED),
    },
}


def document(app: Litestar) -> dict[str, Any]:
    """The document of this server, as JSON-ready data; computed once."""
    if not hasattr(app.state, "openapi"):
        schema = app.openapi_schema.to_schema()
        schema["paths"] |= limits.OPENAPI | reservations_api.OPENAPI | ingest.OPENAPI
        schema["paths"][exports.PATH]["get"]["responses"]["200"]["content"] = exports.CONTENT
        for path, content in ledger_exports.CONTENT.items():
            schema["paths"][path]["get"]["responses"]["200"]["content"] = content
        schema["paths"][events_api.LIVE]["get"]["responses"]["200"]["content"] = events_api.CONTENT
        for path, method in ((personal_data.OWN, "post"), (personal_data.OF_TENANT, "get")):
            schema["paths"][path][method]["responses"]["200"]["content"] = personal_data.CONTENT
        shapes = schema.setdefault("components", {}).setdefault("schemas", {})
        shapes["Problem"] = PROBLEM
        schema["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        handlers = _handlers(app)
        for path, operations in schema["paths"].items():
            for method, operation in operations.items():
                handler = handlers.get(operation["operationId"])
                _add_problems(path, method, operation, handler.opt if handler else {})
        for handler in handlers.values():
            _close(shapes, handler)
        app.state.openapi = _without_anything(schema)
    return dict(app.state.openapi)


def _without_anything(shape: Any) -> Any:
    """Litestar says of `tuple[X, ...]` that an item is an X or, for the dots, anything: an X then is both.

    >>> _without_anything({"items": {"oneOf": [{"type": "string"}, {}]}})
    {'items': {'type': 'string'}}
    """
    if isinstance(shape, list):
        return [_without_anything(part) for part in shape]
    if not isinstance(shape, dict):
        return shape
    match shape:
        case {"oneOf": [one, {**rest}]} if not rest:
            return _without_anything(one)
    return {name: _without_anything(part) for name, part in shape.items()}


def _add_problems(path: str, method: str, operation: dict[str, Any], opt: Mapping[str, Any]) -> None:
    public, meanings = opt.get("access") == "public", dict(ALWAYS)
    if not public or "auth" in path:
        meanings |= SIGNED_IN
    if not public or "{" in path:
        meanings[404] = "There is no such thing, or it is another tenant's"
    if method != "get" or opt.get("conflicts"):
        meanings |= CHANGING
    for status, meaning in meanings.items():
        content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        operation["responses"][str(status)] = {"description": meaning, "content": content}
    if not public:
        operation["security"] = [{"token": []}]


def _close(shapes: dict[str, Any], handler: HTTPRouteHandler) -> None:
    """Say of a body that it may have no other fields, as Litestar does not."""
    body = handler.parsed_data_field
    if body and body.annotation.__struct_config__.forbid_unknown_fields:
        shapes[body.annotation.__name__]["additionalProperties"] = False


def _handlers(app: Litestar) -> dict[str, HTTPRouteHandler]:
    """The documented handlers by their operation."""
    found = [handler for route in app.routes for handler in getattr(route, "route_handlers", ())]
    return {str(handler.operation_id): handler for handler in found if handler.resolve_include_in_schema()}
