"""Problem details (RFC 9457): the one shape of every error, with a stable `code` and the request's id.

{"type": "/problems/not_found", "title": "Not Found", "status": 404, "code": "not_found",
 "detail": "There is no tenant acme", "request_id": "req_…"}
"""

from http import HTTPStatus
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.status_codes import HTTP_405_METHOD_NOT_ALLOWED

from veloflux.errors import InputInvalid, Unavailable, VeloFluxError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
log = structlog.get_logger(slice="web")
_CODES = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large", 415: "media_type_unsupported"}


def problem(error: VeloFluxError, request_id: str) -> dict[str, Any]:
    """An error as the reader gets it; what of its `extra` is `public` stands beside the standard members."""
    return {
        "type": f"/problems/{error.code}",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "code": error.code,
        "detail": str(error),
        "request_id": request_id,
        **{name: value for name, value in error.extra.items() if name in error.public},
    }


def headers(error: VeloFluxError) -> dict[str, str]:
    """Header fields that belong to an error."""
    if "retry_after" in error.extra:
        return {"retry-after": str(error.extra["retry_after"])}
    if isinstance(error, Unavailable):
        return {"retry-after": str(RETRY_AFTER_S)}
    return {"www-authenticate": "Bearer"} if error.status == HTTPStatus.UNAUTHORIZED else {}


def of_exception(exception: Exception) -> VeloFluxError:
    """What a reader is told about any exception; one that we did not foresee is logged and told nothing about."""
    match exception:
        case VeloFluxError():
            return exception
        case ValidationException():
            return InputInvalid(_first_sentence(exception), errors=_fields(exception))
        case HTTPException(status_code=status) if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            error = InputInvalid(exception.detail or HTTPStatus(status).phrase)
            error.code, error.status = _CODES.get(status, "input_invalid"), status
            return error
        case _:
            log.error("unforeseen", exc_info=exception)
            return VeloFluxError("Something went wrong on our side; give this request id to the operator")


def respond(request: Request[Any, Any, Any], exception: Exception) -> Response[dict[str, Any]]:
    """Litestar's handler for every exception of an API route."""
    error = of_exception(exception)
    answer = Response(
        problem(error, request.scope["state"]["request_id"]),
        status_code=error.status,
        media_type=MEDIA_TYPE,
        headers=headers(error),
    )
    if error.status == HTTP_405_METHOD_NOT_ALLOWED and isinstance(exception, HTTPException):
        answer.headers.update(exception.headers or {})
    return answer


def _first_sentence(exception: ValidationException) -> str:
    fields = _fields(exception)
    return f"{fields[0]['field']}: {fields[0]['message']}" if fields else exception.detail


def _fields(exception: ValidationException) -> list[dict[str, str]]:
    extra = exception.extra if isinstance(exception.extra, list) else []
    return [
        {"field": str(e.get("key", "")), "message": str(e.get("message", ""))} for e in extra if isinstance(e, dict)
    ]
