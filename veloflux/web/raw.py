"""Routes served beside Litestar: a function from what was received to the answer's body, and nothing between.

For the paths that are asked for every request of a tenant's product, a framework would cost more than the work.
"""

from collections.abc import Awaitable, Callable

import msgspec
from litestar.datastructures import State
from structlog.contextvars import bound_contextvars

from veloflux.context import Parts
from veloflux.errors import BodyTooLarge
from veloflux.kit import clock
from veloflux.kit.http import Received
from veloflux.web import cors, counts, problems
from veloflux.web.application import NOT_STORED, Handler, Receive, Scope, Send, bearer, header, security_headers

Act = Callable[[Parts, Received], Awaitable[bytes]]
JSON = (b"content-type", b"application/json")
CREATING = ("limits.reserve",)
"""The operations that make something."""
PROBLEM = (b"content-type", problems.MEDIA_TYPE.encode())


def serve(operation: str, act: Act, state: State) -> Handler:
    """An ASGI handler; `state.parts` is there when the first request comes."""
    limit, always = state.settings.body_limit, [*security_headers(state.settings), NOT_STORED]
    accepted, success = [JSON, *always], 201 if operation in CREATING else 200
    parts: Parts | None = None

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal parts
        parts = parts or state.parts  # Litestar's state takes longer to read than most of what follows
        began = clock.monotonic()
        request, address = scope["state"]["request_id"], scope["state"]["address"]
        origin = header(scope["headers"], b"origin")
        try:
            body = await _body(scope, receive, limit)
            received = Received(
                bearer(scope["headers"]),
                body,
                scope["query_string"],
                address,
                origin.decode("latin-1"),
                cors.elsewhere(scope["headers"]) if origin else "",
                scope["headers"],
                scope["path"],
                scope["state"],
            )
            answer = await act(parts, received)
            status, headers, is_readable = success, accepted, True
        except Exception as exception:  # every error has one shape
            status, answer, fields = _refusal(exception, request)
            headers, is_readable = [*fields, *always], cors.is_readable(exception)
        if standing := scope["state"].get("standing"):
            headers = [*headers, *standing.fields()]
        counts.note(operation, "POST", status, clock.monotonic() - began)
        if origin:
            headers = [*headers, *cors.readable_by(origin if is_readable else b"")]
        headers = [*headers, (b"content-length", b"%d" % len(answer)), (b"x-request-id", request.encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    return handle


def _refusal(exception: Exception, request: str) -> tuple[int, bytes, list[tuple[bytes, bytes]]]:
    with bound_contextvars(request=request):
        error = problems.of_exception(exception)
    fields = [(name.encode(), value.encode()) for name, value in problems.headers(error).items()]
    return error.status, msgspec.json.encode(problems.problem(error, request)), [PROBLEM, *fields]


async def _body(scope: Scope, receive: Receive, limit: int) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if len(body) <= limit and not message.get("more_body"):
        return body
    _refuse_beyond(limit, max(len(body), int(header(scope["headers"], b"content-length") or 0)))
    return await _rest(bytearray(body), receive, limit)


async def _rest(body: bytearray, receive: Receive, limit: int) -> bytes:
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        _refuse_beyond(limit, len(body))
    return bytes(body)


def _refuse_beyond(limit: int, length: int) -> None:
    if length > limit:
        raise BodyTooLarge(f"The body has more than {limit} bytes; send it in parts")
