"""Routes served beside Litestar: a function from what was received to the answer's body, and nothing between.

For the paths that are asked for every request of a tenant's product, a framework would cost more than the work.
"""

import functools
from collections.abc import Awaitable, Callable

import msgspec
from litestar.datastructures import State
from prometheus_client import Counter
from structlog.contextvars import bound_contextvars

from veloflux.context import Parts
from veloflux.errors import BodyTooLarge
from veloflux.kit.http import Received
from veloflux.web import metrics, problems
from veloflux.web.application import NOT_STORED, Handler, Receive, Scope, Send, security_headers

Act = Callable[[Parts, Received], Awaitable[bytes]]
JSON = (b"content-type", b"application/json")
PROBLEM = (b"content-type", problems.MEDIA_TYPE.encode())


def serve(operation: str, act: Act, state: State) -> Handler:
    """An ASGI handler; `state.parts` is there when the first request comes."""
    always, limit = [*security_headers(state.settings), NOT_STORED], state.settings.body_limit

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await _body(scope, receive, limit)
            received = Received(_token(scope), body, scope["query_string"], scope["state"]["address"])
            status, answer, headers = 200, await act(state.parts, received), [JSON]
        except Exception as exception:  # every error has one shape
            status, answer, headers = _refusal(exception, scope["state"]["request_id"])
        _counter(operation, status).inc()
        headers += [(b"content-length", b"%d" % len(answer)), (b"x-request-id", scope["state"]["request_id"].encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers + always})
        await send({"type": "http.response.body", "body": answer})

    return handle


@functools.cache
def _counter(operation: str, status: int) -> Counter:
    return metrics.REQUESTS.labels(operation, "POST", status)


def _refusal(exception: Exception, request: str) -> tuple[int, bytes, list[tuple[bytes, bytes]]]:
    with bound_contextvars(request=request):
        error = problems.of_exception(exception)
    fields = [(name.encode(), value.encode()) for name, value in problems.headers(error).items()]
    return error.status, msgspec.json.encode(problems.problem(error, request)), [PROBLEM, *fields]


async def _body(scope: Scope, receive: Receive, limit: int) -> bytes:
    message = await receive()
    body = bytearray(message.get("body", b""))
    _refuse_beyond(limit, max(len(body), int(_header(scope, b"content-length") or 0)))
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
        _refuse_beyond(limit, len(body))
    return bytes(body)


def _refuse_beyond(limit: int, length: int) -> None:
    if length > limit:
        raise BodyTooLarge(f"The body has more than {limit} bytes; send it in parts")


def _token(scope: Scope) -> str:
    scheme, _, token = _header(scope, b"authorization").decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _header(scope: Scope, wanted: bytes) -> bytes:
    for name, value in scope["headers"]:
        if name == wanted:
            return bytes(value)
    return b""
