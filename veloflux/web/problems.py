"""Problem details (RFC 9457): the one shape of every error, with a stable `code` and the request's id.

{"type": "/problems/not_found", "title": "Not Found", "status": 404, "code": "not_found",
 "detail": "There is no tenant acme", "request_id": "req_…"}
"""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.params import ParameterKwarg
from litestar.status_codes import HTTP_405_METHOD_NOT_ALLOWED

from veloflux.errors import (
    BodyTooLarge,
    InputInvalid,
    LimitReached,
    MethodNotAllowed,
    NotFound,
    Unavailable,
    VeloFluxError,
)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
QUOTA_EXCEEDED = "https://iana.org/assignments/http-problem-types#quota-exceeded"
"""Of the IETF draft httpapi-ratelimit-headers: a refusal that a later repetition may pass."""
log = structlog.get_logger(slice="web")
_FRAMEWORKS: Mapping[int, tuple[type[VeloFluxError], str]] = {
    404: (NotFound, "There is nothing at this address; GET /api/schema lists what there is"),
    405: (MethodNotAllowed, "This address does not have this method; the header Allow names those that it has"),
    413: (BodyTooLarge, "The body is larger than this server accepts; send it in parts"),
}
"""What is told of the framework's own refusals."""


def problem(error: VeloFluxError, request_id: str) -> dict[str, Any]:
    """An error as the reader gets it; what of its `extra` is `public` stands beside the standard members."""
    return {
        "type": QUOTA_EXCEEDED if isinstance(error, LimitReached) else f"/problems/{error.code}",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "code": error.code,
        "detail": str(error),
        "request_id": request_id,
        **_violated(error),
        **{name: value for name, value in error.extra.items() if name in error.public},
    }


def _violated(error: VeloFluxError) -> dict[str, Any]:
    refused_by = error.extra.get("refused_by")
    return {"violated-policies": [refused_by]} if refused_by else {}


def headers(error: VeloFluxError) -> dict[str, str]:
    """Header fields that belong to an error."""
    if "retry_after" in error.extra:
        standing = error.extra.get("standing")
        fields = {name.decode(): value.decode() for name, value in standing.fields()} if standing else {}
        return {"retry-after": str(error.extra["retry_after"]), **fields}
    if isinstance(error, Unavailable):
        return {"retry-after": str(RETRY_AFTER_S)}
    return {"www-authenticate": "Bearer"} if error.status == HTTPStatus.UNAUTHORIZED else {}


def of_exception(exception: Exception, names: Mapping[str, str] = MappingProxyType({})) -> VeloFluxError:
    """What a reader is told about any exception; one that we did not foresee is logged and told nothing about.

    `names` says how parameters of a route's function are called outside, where that differs.
    """
    match exception:
        case VeloFluxError():
            return exception
        case ValidationException():
            errors = _errors(exception, names)
            first = f"{errors[0]['field']}: {errors[0]['message']}" if errors else exception.detail
            return InputInvalid(first, errors=errors)
        case HTTPException(status_code=status) if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            kind, sentence = _FRAMEWORKS.get(status, (InputInvalid, exception.detail))
            return kind(sentence)
        case _:
            log.error("unforeseen", exc_info=exception)
            return VeloFluxError("Something went wrong on our side; give this request id to the operator")


def respond(request: Request[Any, Any, Any], exception: Exception) -> Response[dict[str, Any]]:
    """Litestar's handler for every exception of an API route."""
    error = of_exception(exception, _names(request))
    answer = Response(
        problem(error, request.scope["state"]["request_id"]),
        status_code=error.status,
        media_type=MEDIA_TYPE,
        headers=headers(error),
    )
    if error.status == HTTP_405_METHOD_NOT_ALLOWED and isinstance(exception, HTTPException):
        answer.headers.update(exception.headers or {})
    return answer


def _errors(exception: ValidationException, names: Mapping[str, str]) -> list[dict[str, str]]:
    extra = exception.extra if isinstance(exception.extra, list) else []
    found = [(str(each.get("key", "")), str(each.get("message", ""))) for each in extra if isinstance(each, dict)]
    # What is in a body is checked before; a fault of the body as a whole is that there is none.
    named = [("body", "it is missing") if field == "data" else (names.get(field, field), text) for field, text in found]
    return [{"field": field, "message": message} for field, message in named]


def _names(request: Request[Any, Any, Any]) -> dict[str, str]:
    handler = request.scope.get("route_handler")
    parameters = handler.parsed_fn_signature.parameters if handler else {}
    return {
        field: found.kwarg_definition.name
        for field, found in parameters.items()
        if isinstance(found.kwarg_definition, ParameterKwarg) and found.kwarg_definition.name
    }
