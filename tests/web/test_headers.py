"""What every answer carries, and which of a request's headers are believed."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.web.conftest import serving
from tests.web.scene import Scene, problem
from veloflux.web.application import SECURITY


async def test_every_kind_of_answer_carries_the_security_headers(http: httpx2.AsyncClient, scene: Scene) -> None:
    check = {"meter": "requests"}
    answers = [
        await http.post("/api/check", json=check, headers=scene.headers("key")),
        await http.post("/api/check", json=check),
        await http.post("/api/events", content=b"["),
        await http.get("/api/auth/me", headers=scene.headers("alice")),
        await http.get("/api/auth/me"),
        await http.get("/api/tenants/acme/usage/export", headers=scene.headers("alice")),
        await http.post("/api/auth/logout", headers=scene.headers("carol")),
        *[await http.get(path) for path in ("/", "/api", "/api/schema", "/healthz", "/readyz", "/metrics", "/nothing")],
        *[await http.get(path) for path in ("/console", "/console/sign-in", "/console/nothing", "/static/console.css")],
        await http.put("/api/check"),
        await http.options("/api/tenants"),
        await http.post("/console/sign-in"),
    ]
    assert len({answer.status_code for answer in answers}) >= 7
    for answer in answers:
        for name, value in SECURITY:
            assert answer.headers.get_list(name.decode()) == [value.decode()], answer.url
        assert answer.headers["x-request-id"].startswith("req_")
        is_static = answer.url.path.startswith("/static/")
        assert is_static or answer.headers["cache-control"] == "no-store", answer.url


async def test_no_content_type_has_a_parameter_twice(http: httpx2.AsyncClient, scene: Scene) -> None:
    export = "/api/tenants/box/usage/export"
    types = [
        (await http.get(path, params=query, headers=scene.headers("alice"))).headers["content-type"]
        for path, query in ((export, {}), (export, {"format": "json"}), ("/metrics", {}))
    ]
    assert types[:2] == ["text/csv; charset=utf-8", "application/json"]
    assert types[2].count("charset") == 1


FORWARDED = {"x-forwarded-for": "203.0.113.99"}


@pytest.fixture
def behind_a_proxy(standalone: str, tmp_path: Path) -> Iterator[str]:
    """URL of a server that believes what this machine forwards; its log is in `tmp_path`."""
    trusting = {"VELOFLUX_TRUSTED_PROXIES": "127.0.0.0/8", "VELOFLUX_METRICS_TOKEN": "token of the metrics"}
    with serving(standalone, tmp_path, trusting) as url:
        yield url


async def test_a_forwarded_address_is_not_believed_unless_a_proxy_is_trusted(
    http: httpx2.AsyncClient, scene: Scene
) -> None:
    alice = scene.headers("alice")
    made = await http.post("/api/tenants/acme/api-keys", json={"name": "server"}, headers=alice | FORWARDED)
    assert made.status_code == 201
    trail = (await http.get("/api/tenants/acme/audit?limit=1", headers=alice)).json()["items"]
    assert [(entry["name"], entry["address"]) for entry in trail] == [("api_key.created", "127.0.0.1")]
    assert (await http.get("/metrics", headers=FORWARDED)).status_code == 200


async def test_behind_a_trusted_proxy_the_client_is_who_it_forwards(
    behind_a_proxy: str, scene: Scene, tmp_path: Path
) -> None:
    alice = scene.headers("alice")
    async with httpx2.AsyncClient(base_url=behind_a_proxy, headers=FORWARDED, timeout=30) as client:
        await client.post("/api/tenants/acme/api-keys", json={"name": "server"}, headers=alice)
        trail = (await client.get("/api/tenants/acme/audit?limit=1", headers=alice)).json()["items"]
        assert trail[0]["address"] == "203.0.113.99"
        for authorization in ("", "Bearer", "Bearer token", "token of the metrics"):
            refused = await client.get("/metrics", headers={"authorization": authorization})
            problem(refused, 404, "not_found", of=authorization)
        claimed = await client.get("/metrics", headers={"x-forwarded-for": "127.0.0.1, 203.0.113.99"})
        problem(claimed, 404, "not_found")
        answer = await client.get("/metrics", headers={"authorization": "Bearer token of the metrics"})
        assert answer.status_code == 200
        assert (await client.get("/metrics", headers={"x-forwarded-for": ""})).status_code == 200
    lines = [json.loads(line) for line in (tmp_path / "log" / "server.log").read_text("utf-8").splitlines()]
    [line] = [line for line in lines if line.get("request") == refused.headers["x-request-id"]]
    assert (line["slice"], line["path"], line["status"]) == ("web", "/metrics", 404)
