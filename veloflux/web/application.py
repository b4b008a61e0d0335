"""The outermost ASGI layer: request id, client address, security headers, metrics and a log line.

Routes given as `raw` are served beside Litestar, for the one path where a framework costs more than the work.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import structlog

from veloflux.kit import clock, ids
from veloflux.settings import Settings
from veloflux.web import counts
from veloflux.web.address import client_address, networks

PLACE = re.compile(r"\{[^}]*\}")
LINK = re.compile(r"[0-9a-z]{26}\.[0-9a-z]{26}\.[0-9a-f]{40}")
"""What opens something to whoever has it: it is not written to logs."""
Scope = dict[str, Any]
Headers = Iterable[tuple[bytes, bytes]]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Handler = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
SECURITY = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"content-security-policy", POLICY.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
]
READING = frozenset({"GET", "HEAD", "OPTIONS"})
SLOW_S = 1.0
NOT_STORED = (b"cache-control", b"no-store")
log = structlog.get_logger(slice="web")


def security_headers(settings: Settings) -> list[tuple[bytes, bytes]]:
    """What every answer carries."""
    is_https = settings.public_url.startswith("https://")
    return [*SECURITY, (b"strict-transport-security", b"max-age=31536000")] if is_https else SECURITY


def header(headers: Headers, wanted: bytes) -> bytes:
    """A request's header, b"" when it has none; `wanted` in lower case."""
    for name, value in headers:
        if name == wanted:
            return value
    return b""


def bearer(headers: Headers) -> str:
    """The token in a request's Authorization header, "" when it has none."""
    scheme, _, token = header(headers, b"authorization").decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


class Application:
    """`raw` maps method and path to a handler that answers by itself."""

    def __init__(self, routed: Handler, raw: Mapping[tuple[str, str], Handler], settings: Settings) -> None:
        self._routed = routed
        self._raw = {route: handler for route, handler in raw.items() if "{" not in route[1]}
        self._patterns = [
            (method, re.compile(PLACE.sub("[^/]+", path)), handler)
            for (method, path), handler in raw.items()
            if "{" in path
        ]
        self._trusted = networks(settings.trusted_proxies)
        self._headers = security_headers(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._routed(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["request_id"] = ids.new("req")
        state["address"] = self._address(scope)
        raw = self._raw.get((scope["method"], scope["path"])) or self._of_pattern(scope["method"], scope["path"])
        if raw:
            await raw(scope, receive, send)
        else:
            await self._observed(scope, receive, send)

    def _of_pattern(self, method: str, path: str) -> Handler | None:
        for known, pattern, handler in self._patterns:
            if known == method and pattern.fullmatch(path):
                return handler
        return None

    async def _observed(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, status = clock.monotonic(), 500
        request = scope["state"]["request_id"]

        async def send_dressed(message: dict[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._dressed(scope, message.get("headers", ()))
            await send(message)

        structlog.contextvars.bind_contextvars(request=request)
        try:
            await self._routed(scope, receive, send_dressed)
        finally:
            self._note(scope, status, clock.monotonic() - started)
            structlog.contextvars.clear_contextvars()

    def _dressed(self, scope: Scope, headers: Any) -> list[tuple[bytes, bytes]]:
        path, standing = scope["path"], scope["state"].get("standing")
        given = dict(headers)
        dressed = [*headers, (b"x-request-id", scope["state"]["request_id"].encode())]
        dressed += [one for one in self._headers if one[0] not in given]
        if standing:
            dressed += standing.fields()
        if not path.startswith("/static/") and b"cache-control" not in given:
            dressed.append(NOT_STORED)
        return dressed

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        operation = scope["state"].get("operation", "other")
        counts.note(operation, scope["method"], status, seconds)
        # A read that went well is counted, and logged only at debug: at thousands a second the lines would cost more
        # than the answers, and hide those that somebody looks for.
        is_ordinary = status < 400 and scope["method"] in READING and seconds < SLOW_S
        if is_ordinary and not logging.root.isEnabledFor(logging.DEBUG):
            return
        log.log(
            logging.DEBUG if is_ordinary else logging.INFO,
            "request",
            operation=operation,
            method=scope["method"],
            path=LINK.sub("…", scope["path"]),
            status=status,
            ms=round(1000 * seconds, 1),
        )

    def _address(self, scope: Scope) -> str:
        peer = (scope.get("client") or ("",))[0]
        if not self._trusted:
            return str(peer)
        forwarded = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
        return client_address(str(peer), forwarded.decode("latin-1"), self._trusted)
