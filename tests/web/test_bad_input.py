"""Bodies and values that cannot be accepted: a problem document, nothing written, nothing told of the inside."""

import base64
import json
import socket
from collections.abc import AsyncIterator
from typing import NamedTuple

import httpx2
import pytest

from tests.web.scene import Scene, address, problem, unchanged
from veloflux.context import Context
from veloflux.kit import page

DEEP = b"[" * 100_000 + b"]" * 100_000
BODIES = {
    "nothing": b"",
    "cut off": b'{"name":',
    "not JSON": b"name=Acme",
    "bytes that are no UTF-8": b'{"name":"\xff"}',
    "half of a surrogate pair": b'{"name":"\\ud800"}',
    "UTF-16": '{"name":"Acme"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"name":"Acme"}',
    "not a number": b'{"name":NaN}',
    "null": b"null",
    "an array": b"[1]",
    "a text": b'"Acme"',
    "deep nesting": DEEP,
    "a field of deep nesting": b'{"name":' + DEEP + b"}",
    "an unknown field of deep nesting": b'{"else":' + DEEP + b"}",
    "an unknown field": b'{"name":"Acme","is_admin":true}',
    "a number for a text": b'{"name":1,"meter":1,"type":1,"id":1}',
    "a field with a NUL": b'{"name":"a\\u0000b","meter":"a\\u0000b","type":"a\\u0000b","id":"1"}',
    "too long": b'{"name":"' + b"x" * 300 + b'","meter":"' + b"x" * 300 + b'"}',
}
CURSORS = ["abc", "-1", "9" * 30, "9" * 5000, "1_0", "9999999999999999999 z", "५-५", "\0", " 7 ", "nan x"]


class Sent(NamedTuple):
    """Who sends a body where."""

    actor: str
    method: str
    path: str


SENT = [
    Sent("", "POST", "/api/auth/register"),
    Sent("", "POST", "/api/auth/verify"),
    Sent("", "POST", "/api/auth/password-reset"),
    Sent("", "POST", "/api/auth/password-reset/confirm"),
    Sent("", "POST", "/api/auth/login"),
    Sent("alice", "POST", "/api/auth/password"),
    Sent("alice", "POST", "/api/tenants"),
    Sent("alice", "POST", "/api/tenants/acme/api-keys"),
    Sent("alice", "PUT", "/api/tenants/box/clock"),
    Sent("key", "POST", "/api/check"),
    Sent("key", "POST", "/api/events"),
]


@pytest.mark.parametrize("sent", SENT, ids=lambda sent: sent.path)
async def test_a_body_that_cannot_be_understood_is_refused_and_writes_nothing(
    http: httpx2.AsyncClient, scene: Scene, one_ctx: Context, sent: Sent
) -> None:
    async with unchanged(one_ctx):
        for what, body in BODIES.items():
            answer = await http.request(sent.method, sent.path, content=body, headers=scene.headers(sent.actor))
            if sent.path == "/api/events" and what == "an array":
                assert answer.json()["rejected"][0]["code"] == "event_invalid"
            else:
                assert problem(answer, 400), what


@pytest.mark.parametrize("path", ["/api/auth/login", "/api/tenants", "/api/check", "/api/events"])
async def test_a_body_beyond_the_limit_is_refused_as_soon_as_it_is_seen(
    web: str, http: httpx2.AsyncClient, scene: Scene, path: str
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b" " * 1_048_576

    problem(await http.post(path, content=pieces(), headers=scene.headers("alice")), 413, "body_too_large")
    with socket.create_connection(address(web), timeout=30) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 9000000\r\n\r\nbeginning".encode())
        assert b" 413 " in connection.recv(65_536)


WRONG = [
    ("key", "/api/check", {"meter": "requests", "cost": 0}),
    ("key", "/api/check", {"meter": "requests", "cost": -1}),
    ("key", "/api/check", {"meter": "requests", "cost": 10**30}),
    ("key", "/api/check", {"meter": "requests", "cost": 1.5}),
    ("key", "/api/check", {"meter": "requests", "cost": True}),
    ("key", "/api/check", {"meter": "requests", "cost": "1"}),
    ("key", "/api/check", {"meter": "requests", "cost": None}),
    ("key", "/api/check", {"meter": "requests", "source": ""}),
    ("key", "/api/check", {"meter": "nothing"}),
    ("service key", "/api/check", {"meter": "requests"}),
    ("key", "/api/events", {"type": "http.request", "id": "1", "data": {"bytes": "1"}}),
    ("key", "/api/events", {"type": "http.request", "id": "1", "data": {"bytes": 2**53}}),
    ("key", "/api/events", {"type": "http.request", "id": "1", "data": {"bytes": 1e300}}),
    ("key", "/api/events", {"type": "http.request", "id": "1", "data": {"bytes": 0.5}}),
    ("key", "/api/events", {"type": "http.request", "id": "1", "time": "0001-01-01T00:00:00Z", "data": {"bytes": 1}}),
    ("key", "/api/events", {"type": "http.request", "id": "1", "time": "9999-12-31T23:59:59-14:00"}),
    ("key", "/api/events", {"type": "http.request", "id": "1", "time": "2026-01-01T00:00:00"}),
    ("key", "/api/events", {"type": "nothing", "id": "1"}),
    ("key", "/api/events", {"type": "http.request", "id": ""}),
    ("service key", "/api/events", {"type": "http.request", "id": "1"}),
    ("alice", "/api/tenants", {"name": ""}),
    ("alice", "/api/tenants", {"name": "\u202e"}),
    ("alice", "/api/tenants", {"name": "Beta", "slug": "ten_1"}),
    ("alice", "/api/tenants", {"name": "Beta", "zone": "../../etc/passwd"}),
    ("alice", "/api/tenants", {"name": "Beta", "currency": "EURO"}),
    ("olivia", "/api/tenants", {"name": "Beta", "plan": "gold"}),
    ("alice", "/api/tenants", {"name": "Beta", "mode": "dead"}),
    ("alice", "/api/tenants/acme/invitations", {"email": "nobody"}),
    ("alice", "/api/tenants/acme/invitations", {"email": "a@example.com", "role": "god"}),
    ("alice", "/api/tenants/acme/invitations", {"email": "a@example.com", "role": "operator"}),
    ("alice", "/api/tenants/acme/api-keys", {"name": "x" * 81}),
    ("", "/api/auth/register", {"name": "A", "email": "a@example.com", "password": "short"}),
    ("", "/api/auth/register", {"name": "A", "email": "a@example.com", "password": "x" * 300}),
]


async def test_a_value_that_cannot_be_is_refused_and_writes_nothing(
    http: httpx2.AsyncClient, scene: Scene, one_ctx: Context
) -> None:
    async with unchanged(one_ctx):
        for actor, path, body in WRONG:
            answer = await http.post(path, content=json.dumps(body), headers=scene.headers(actor))
            problem(answer, 400, of=body)


async def test_a_clock_cannot_show_a_time_in_which_nothing_could_be_counted(
    http: httpx2.AsyncClient, scene: Scene, one_ctx: Context
) -> None:
    times = [-1, 0, 1.5, "1700000000000", 946_684_799_999, 4_102_444_800_000, 10**30, None, True]
    async with unchanged(one_ctx):
        for body in [{"mode": mode, "at": at} for mode in ("stopped", "offset") for at in times]:
            answer = await http.put("/api/tenants/box/clock", json=body, headers=scene.headers("alice"))
            problem(answer, 400, of=body)


@pytest.mark.parametrize("at", [946_684_800_000, 4_102_444_799_999])
async def test_at_the_ends_of_what_a_clock_can_show_limits_and_usage_still_work(
    http: httpx2.AsyncClient, scene: Scene, at: int
) -> None:
    body = {"mode": "stopped", "at": at}
    assert (await http.put("/api/tenants/box/clock", json=body, headers=scene.headers("alice"))).status_code == 200
    key = scene.headers("key")
    assert (await http.post("/api/check", json={"meter": "requests", "id": "1"}, headers=key)).json()["used"] == 1
    event = {"type": "http.request", "id": "2", "data": {"bytes": 1}}
    assert (await http.post("/api/events", json=event, headers=key)).json()["accepted"] == 1
    for window in ("hour", "day", "month"):
        asked = {"window": window, "from": "0001-01-01", "to": "9999-12-31"}
        usage = await http.get("/api/tenants/box/usage", params=asked, headers=scene.headers("alice"))
        assert usage.json()["total"] == 2, window


async def test_a_length_of_a_page_that_cannot_be_is_refused(http: httpx2.AsyncClient, scene: Scene) -> None:
    for length in ("0", "-1", "501", "1.5", "many", "", "9" * 400, "1&limit=many"):
        answer = await http.get(f"/api/tenants?limit={length}", headers=scene.headers("olivia"))
        assert problem(answer, 400, "input_invalid", of=length)["errors"][0]["field"] == "limit"


async def test_usage_that_cannot_be_is_refused(http: httpx2.AsyncClient, scene: Scene) -> None:
    for query in ("from=yesterday", "to=2015-02-30", "window=week", "meter=nothing", "from=2015-05-02&to=2015-05-01"):
        answer = await http.get(f"/api/tenants/acme/usage?{query}", headers=scene.headers("alice"))
        told = problem(answer, 400, of=query)
        assert "errors" not in told or told["errors"][0]["field"] == query.partition("=")[0]


async def test_a_cursor_that_no_page_gave_is_refused_by_every_list(http: httpx2.AsyncClient, scene: Scene) -> None:
    document = (await http.get("/api/schema")).json()
    lists = [path for path, asked in document["paths"].items() if "cursor" in str(asked.get("get", {}))]
    assert len(lists) >= 7
    lists.remove("/api/outbox")  # its places are texts: each is one
    for path in [*(path.format(tenant="acme") for path in lists), "/api/jobs?owner=ten_0"]:
        for text in CURSORS:
            cursor = {"cursor": page.encode(text)}
            answer = await http.get(path, params=cursor, headers=scene.headers("olivia"))
            problem(answer, 400, "cursor_invalid", of=(path, text))


async def test_what_is_no_cursor_at_all_is_refused(http: httpx2.AsyncClient, scene: Scene) -> None:
    for cursor in ("%FF", "%00", "a", "=", "é", "cursor", base64.urlsafe_b64encode(b"\xff\xfe").decode()):
        problem(await http.get(f"/api/tenants?cursor={cursor}", headers=scene.headers("olivia")), 400, "cursor_invalid")
