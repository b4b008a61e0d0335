"""What browsers ask before a page of another origin may call the API, and what they want to read in the answers.

A preflight carries no credential, so its answer is the same for everybody and tells nothing of anybody: the request
itself is judged by the credential that it carries. Cookies are never let in from elsewhere, so nothing is lost with an
answer that another page reads: it had the token, or learned that it has none.
"""

from veloflux.web.application import Headers, Receive, Scope, Send, header

PREFLIGHT = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, POST, PUT, DELETE"),
    (b"access-control-allow-headers", b"authorization, content-type"),
    (b"access-control-max-age", b"7200"),
    (b"vary", b"origin"),
]
FOR_PAGES = frozenset({"events.record"})
"""The operations that a publishable key can do."""
READABLE = (b"access-control-expose-headers", b"retry-after, x-request-id")


def readable_by(origin: bytes) -> list[tuple[bytes, bytes]]:
    """The headers with which a page of an origin may read an answer."""
    return [(b"access-control-allow-origin", origin), READABLE, (b"vary", b"origin")]


def is_preflight(method: str, headers: Headers) -> bool:
    """Whether a browser asks on behalf of a page of another origin."""
    return method == "OPTIONS" and bool(
        header(headers, b"origin") and header(headers, b"access-control-request-method")
    )


async def preflight(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a preflight."""
    request = scope["state"]["request_id"].encode()
    headers = [*PREFLIGHT, (b"x-request-id", request), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
