"""What browsers ask before a page of another origin may call the API, and what they want to read in the answers.

A preflight carries no credential, so its answer is the same for everybody and tells nothing of anybody: the request
itself is judged by the credential that it carries, where the tenant is read anyway. Only who is let in has an answer
that the page can read. Cookies are never let in from elsewhere.
"""

from typing import Any

from veloflux.errors import NotAuthenticated, NotFound, OriginRefused
from veloflux.web.application import Handler, Headers, Receive, Scope, Send, header

PREFLIGHT = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE"),
    (b"access-control-allow-headers", b"authorization, content-type"),
    (b"access-control-max-age", b"7200"),
    (b"vary", b"origin"),
    (b"content-length", b"0"),
]
FOR_PAGES = ("/api/events", "/api/check", "/api/tenants/")
"""How the paths begin that pages of other origins may call."""
UNREADABLE = (NotAuthenticated, NotFound, OriginRefused)
"""Told to whoever was not let in."""
READABLE = (b"access-control-expose-headers", b"retry-after, x-request-id")
VARY = (b"vary", b"origin")


def readable_by(origin: bytes) -> list[tuple[bytes, bytes]]:
    """The headers with which a page of an origin may read an answer; b"": none may."""
    return [(b"access-control-allow-origin", origin), READABLE, VARY] if origin else [VARY]


def is_readable(error: Exception) -> bool:
    """Whether a page may read this refusal."""
    return not isinstance(error, UNREADABLE)


def elsewhere(headers: Headers) -> str:
    """The origin of the page that asks, if it is another one than this server's; else "".

    >>> elsewhere([(b"origin", b"https://a.example"), (b"host", b"b.example")])
    'https://a.example'
    """
    origin = header(headers, b"origin")
    is_own = origin.partition(b"://")[2] == header(headers, b"host")
    return "" if is_own else origin.decode("latin-1")


def answering(routed: Handler) -> Handler:
    """The handler with preflights answered before it, and what the pages of other origins want in its answers."""

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        origin = header(scope["headers"], b"origin") if scope["type"] == "http" else b""
        if not origin or not scope["path"].startswith("/api/"):
            await routed(scope, receive, send)
        elif _is_preflight(scope):
            await _preflight(send)
        else:
            await routed(scope, receive, _telling(scope, send))

    return handle


def _telling(scope: Scope, send: Send) -> Send:
    async def send_on(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            origin = scope["state"].get("readable_by", "").encode("latin-1")
            message["headers"] = [*message.get("headers", ()), *readable_by(origin)]
        await send(message)

    return send_on


def _is_preflight(scope: Scope) -> bool:
    asks = scope["method"] == "OPTIONS" and header(scope["headers"], b"access-control-request-method")
    return bool(asks) and scope["path"].startswith(FOR_PAGES)


async def _preflight(send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": list(PREFLIGHT)})
    await send({"type": "http.response.body", "body": b""})
