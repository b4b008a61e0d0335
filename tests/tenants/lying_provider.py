"""An OpenID provider on loopback that says whatever a test wants, over real HTTP."""

import base64
import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from veloflux.kit import clock, ids

CLIENT, SECRET = "veloflux", "a client's secret: 100%"
FIRST = RSAKey.generate_key(2048, {"kid": "first", "use": "sig", "alg": "RS256"})
"""Of every provider until it has another one; to make one takes longer than most tests."""


class LyingProvider:
    """`claims` go into every ID token, over those that are right; `answers` stand in for what a path says."""

    def __init__(self, url: str) -> None:
        self.issuer = url
        self.key = FIRST
        self.claims: dict[str, Any] = {}
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.asked: Counter[str] = Counter()
        self.forms: list[dict[str, str]] = []
        self.credentials: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}

    def send_back(self, url: str) -> dict[str, str]:
        """What the browser is sent back with from an address that it was sent to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        code = ids.new("cod")
        self._codes[code] = asked
        return {"state": asked["state"], "code": code}

    def signed(self, claims: dict[str, Any], key: RSAKey | None = None, **header: str) -> str:
        return jwt.encode({"alg": "RS256", "kid": "first", **header}, claims, key or self.key)

    def get(self, path: str) -> tuple[int, bytes]:
        self.asked[path] += 1
        if path in self.answers:
            return self.answers[path]
        if path == "/jwks":
            return 200, json.dumps(KeySet([self.key]).as_dict()).encode()
        pages = {name: f"{self.issuer}/{name}" for name in ("authorization_endpoint", "token_endpoint")}
        return 200, json.dumps({"issuer": self.issuer, **pages, "jwks_uri": f"{self.issuer}/jwks"}).encode()

    def redeem(self, form: dict[str, str], credentials: str) -> tuple[int, bytes]:
        self.forms.append(form)
        self.credentials.append(credentials)
        asked = self._codes.pop(form["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if asked is None or asked["code_challenge"] != challenge.decode():
            return 400, b'{"error": "invalid_grant"}'
        now = clock.now_ms() // 1000
        right = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        who = {"sub": "0001", "email": "ana@example.com", "email_verified": True, "name": "Ana", "groups": ["staff"]}
        claims = {name: value for name, value in (right | who | self.claims).items() if value is not None}
        return 200, json.dumps({"id_token": self.sign(claims), "access_token": "x", "token_type": "Bearer"}).encode()


@contextmanager
def lying() -> Iterator[LyingProvider]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(*provider.get(self.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._answer(*provider.redeem(form, self.headers.get("authorization", "")))

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            if status == 302:
                self.send_header("location", body.decode())
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = LyingProvider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
