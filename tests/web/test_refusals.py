"""Who is not known, and what is not there: a problem document, nothing written."""

import socket

import httpx2
import pytest

from tests import cast
from tests.cast import PASSWORD
from tests.web.scene import Scene, address, problem, unchanged
from veloflux import identity
from veloflux.context import Context
from veloflux.db import keys


async def test_who_is_unknown_is_refused_everywhere_and_writes_nothing(
    http: httpx2.AsyncClient, scene: Scene, one_ctx: Context
) -> None:
    asked = {
        "check": {"meter": "requests"},
        "events": [{"type": "http.request", "id": "1"}],
        "tenants": {"name": "New"},
    }
    async with unchanged(one_ctx):
        for actor in ("", "revoked key", "no key", "nobody"):
            answers = [await http.get("/api/auth/me", headers=scene.headers(actor))]
            for path, body in asked.items():
                answers.append(await http.post(f"/api/{path}", json=body, headers=scene.headers(actor)))
            for answer in answers:
                problem(answer, 401, "not_authenticated", of=actor)
                assert answer.headers["www-authenticate"] == "Bearer"


async def test_another_tenant_and_one_that_does_not_exist_are_not_found_by_a_key_and_a_session_is_no_key(
    http: httpx2.AsyncClient, scene: Scene, one_ctx: Context
) -> None:
    event, absent = {"type": "http.request", "id": "1"}, ["nobodys", "ten_0nobody", "{}", "\0"]
    async with unchanged(one_ctx):
        for actor in ("key", "key of Globex", "service key", "alice"):
            refusal = (401, "not_authenticated") if actor == "alice" else (404, "not_found")
            headers = scene.headers(actor)
            for tenant in absent if actor == "service key" else [*absent, "acme"]:
                check = await http.post("/api/check", json={"meter": "requests", "tenant": tenant}, headers=headers)
                problem(check, *refusal, of=(actor, tenant))
                events = await http.post("/api/events", params={"tenant": tenant}, json=event, headers=headers)
                problem(events, *refusal, of=(actor, tenant))


async def test_a_session_that_ended_or_is_over_is_refused(
    http: httpx2.AsyncClient, scene: Scene, one_ctx: Context
) -> None:
    for end in (end_session, let_session_expire):
        signed_in = await identity.log_in(cast.fresh(one_ctx), cast.email("alice"), PASSWORD)
        bearer = {"authorization": f"Bearer {signed_in.token}"}
        assert (await http.get("/api/auth/me", headers=bearer)).status_code == 200
        await end(cast.acting(one_ctx, signed_in))
        problem(await http.get("/api/auth/me", headers=bearer), 401, "not_authenticated")
        problem(await http.post("/api/tenants", json={"name": "New"}, headers=bearer), 401, "not_authenticated")


async def end_session(ctx: Context) -> None:
    await identity.end_session(ctx, ctx.actor.session)


async def let_session_expire(ctx: Context) -> None:
    await ctx.db.call("HSET", keys.session(ctx.actor.person, ctx.actor.session), "ends_at", "1")


async def test_a_token_of_another_scheme_counts_as_none(http: httpx2.AsyncClient, scene: Scene) -> None:
    for scheme in ("Basic", "Token", "Bearer Bearer", "Bearer\t", "", "vf_live"):
        for actor in ("alice", "key"):
            headers = {"authorization": f"{scheme} {scene.tokens[actor]}".strip()}
            problem(await http.get("/api/auth/me", headers=headers), 401, "not_authenticated", of=scheme)
            check = await http.post("/api/check", json={"meter": "requests"}, headers=headers)
            problem(check, 401, "not_authenticated", of=scheme)


async def test_a_header_of_100_kilobytes_is_no_reason_for_a_fault(http: httpx2.AsyncClient) -> None:
    for name in ("authorization", "cookie", "x-anything", "accept-language", "x-forwarded-for"):
        huge = {name: ("vf_session=" if name == "cookie" else "Bearer ") + "a" * 100_000}
        problem(await http.get("/api/auth/me", headers=huge), 401, "not_authenticated", of=name)
        problem(await http.post("/api/check", content=b"{}", headers=huge), 401, "not_authenticated", of=name)
        assert (await http.get("/console/sign-in", headers=huge)).status_code == 200


async def test_a_method_that_an_address_does_not_have_is_refused_naming_those_that_it_has(
    http: httpx2.AsyncClient,
) -> None:
    for path, operations in (await http.get("/api/schema")).json()["paths"].items():
        for method in {"PATCH", "QUERY", "HEAD", "FOO"} - {name.upper() for name in operations}:
            answer = await http.request(method, path)
            assert answer.status_code == 405, path
            assert {name.upper() for name in operations} <= set(answer.headers["allow"].split(", "))
            if method != "HEAD":
                problem(answer, 405, "method_not_allowed")


@pytest.mark.parametrize(
    "path",
    [
        "/api/nothing",
        "/api/check/",
        "//api/check",
        "/API/check",
        "/api/tenants/a/b/c/d",
        "/static/nothing.css",
        "/%00",
        "/%FF",
        "/%",
        "/*",
        "/static/%2e%2e/app.py",
        "/static/..%2f..%2fapp.py",
        "/" + "a/" * 5000,
    ],
)
async def test_an_address_that_is_not_there_is_told_so(http: httpx2.AsyncClient, path: str) -> None:
    for method in ("GET", "POST"):
        answer = await http.request(method, path)
        if answer.status_code != 405:
            problem(answer, 404, "not_found")


async def test_what_no_parser_of_http_understands_closes_one_connection_and_no_more(
    web: str, http: httpx2.AsyncClient
) -> None:
    for garbage in (
        b"\0\0\0\0\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\ncontent-length: -1\r\n\r\n",
    ):
        with socket.create_connection(address(web), timeout=30) as connection:
            connection.sendall(garbage)
            assert not connection.recv(65_536).startswith(b"HTTP/1.1 5")
    assert (await http.get("/healthz")).status_code == 200
