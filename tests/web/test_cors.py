"""What a page of another origin may ask and read."""

import httpx2
import pytest

from tests.web.scene import Scene, problem, unchanged
from veloflux import tenants
from veloflux.context import Context
from veloflux.tenants import KeyTerms

APP, OTHER = "https://app.example", "https://other.example"
EVENT = {"type": "http.request", "id": "a", "data": {"bytes": 1}}


@pytest.fixture
async def token(scene: Scene) -> str:
    """A publishable key for the pages of APP."""
    made = await tenants.create_api_key(scene.box, "page", "", KeyTerms(origins=(APP,)), "publishable")
    return made.token


@pytest.mark.parametrize("path", ["/api/events", "/api/check", "/api/tenants/acme", "/api/tenants/nobodys/usage"])
async def test_a_preflight_is_answered_alike_to_everybody(http: httpx2.AsyncClient, scene: Scene, path: str) -> None:
    told = []
    for origin in (APP, OTHER):
        answer = await http.options(path, headers={"origin": origin, "access-control-request-method": "POST"})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, "*")
        assert "authorization" in answer.headers["access-control-allow-headers"]
        assert "access-control-allow-credentials" not in answer.headers
        told.append({name: value for name, value in answer.headers.items() if name not in ("x-request-id", "date")})
    assert told[0] == told[1]


async def test_nothing_else_has_a_preflight(http: httpx2.AsyncClient) -> None:
    for path in ("/api/auth/login", "/api/tenants", "/api/admin/users", "/console"):
        answer = await http.options(path, headers={"origin": APP, "access-control-request-method": "GET"})
        assert "access-control-allow-origin" not in answer.headers


async def test_a_page_records_and_reads_the_answer_and_one_of_elsewhere_is_refused(
    http: httpx2.AsyncClient, token: str
) -> None:
    auth = {"authorization": f"Bearer {token}"}
    answer = await http.post("/api/events", json=EVENT, headers={**auth, "origin": APP})
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    assert answer.headers["access-control-allow-origin"] == APP
    assert "origin" in answer.headers["vary"]
    refused = await http.post("/api/events", json=EVENT, headers={**auth, "origin": "https://other.example"})
    problem(refused, 403, "origin_refused")
    assert "access-control-allow-origin" not in refused.headers
    assert "access-control-allow-credentials" not in refused.headers


async def test_a_publishable_key_opens_nothing_else(http: httpx2.AsyncClient, scene: Scene, token: str) -> None:
    auth = {"authorization": f"Bearer {token}", "origin": APP}
    check = await http.post("/api/check", json={"meter": "requests"}, headers=auth)
    problem(check, 401)
    assert "access-control-allow-origin" not in check.headers
    for path in ("/api/tenants", "/api/tenants/box", "/api/tenants/box/usage", "/api/auth/me"):
        answer = await http.get(path, headers=auth)
        problem(answer, 401)
        assert "access-control-allow-origin" not in answer.headers


async def test_it_is_made_over_http_with_its_kind(http: httpx2.AsyncClient, scene: Scene) -> None:
    asked = {"name": "page", "kind": "publishable", "origins": ["https://App.example:443"]}
    made = await http.post("/api/tenants/acme/api-keys", json=asked, headers=scene.headers("alice"))
    assert made.status_code == 201
    assert (made.json()["key"]["kind"], made.json()["key"]["origins"]) == ("publishable", [APP])
    assert made.json()["token"].startswith("vf_pub_")


async def test_pages_of_the_origins_that_a_tenant_lists_use_its_keys(http: httpx2.AsyncClient, scene: Scene) -> None:
    listed = await http.put("/api/tenants/box/origins", json={"origins": [APP]}, headers=scene.headers("alice"))
    assert (listed.status_code, listed.json()["origins"]) == (200, [APP])
    read, check, events = "/api/tenants/box/usage", "/api/check", "/api/events"
    for who, status in (("key", 200), ("revoked key", 401), ("key of Globex", 404)):
        answer = await http.get(read, headers={**scene.headers(who), "origin": APP})
        assert answer.status_code == status
        assert answer.headers.get("access-control-allow-origin") == (APP if status == 200 else None)
        assert "origin" in answer.headers["vary"]
    for path, body in ((check, {"meter": "requests"}), (events, EVENT)):
        for origin, status in ((APP, 200), (OTHER, 403), ("null", 403)):
            answer = await http.post(path, json=body, headers={**scene.headers("key"), "origin": origin})
            assert answer.status_code == status
            assert answer.headers.get("access-control-allow-origin") == (APP if status == 200 else None)
            assert "origin" in answer.headers["vary"]
    wrong = await http.get(read, params={"window": "x"}, headers={**scene.headers("key"), "origin": APP})
    problem(wrong, 400)
    assert wrong.headers["access-control-allow-origin"] == APP


async def test_a_page_of_elsewhere_is_refused_and_changes_nothing(
    one_ctx: Context, http: httpx2.AsyncClient, scene: Scene
) -> None:
    async with unchanged(one_ctx):
        for who, path in (("key", "/api/tenants/box"), ("alice", "/api/tenants/acme"), ("alice", "/api/auth/me")):
            answer = await http.get(path, headers={**scene.headers(who), "origin": OTHER})
            problem(answer, 403, "origin_refused")
            assert "access-control-allow-origin" not in answer.headers
        check = await http.post(
            "/api/check", json={"meter": "requests"}, headers={**scene.headers("key"), "origin": OTHER}
        )
        problem(check, 403, "origin_refused")


async def test_a_page_of_this_server_is_of_no_other_origin(http: httpx2.AsyncClient, scene: Scene, web: str) -> None:
    answer = await http.get("/api/tenants/box", headers={**scene.headers("key"), "origin": web})
    assert answer.status_code == 200


async def test_a_cookie_is_of_no_use_elsewhere(http: httpx2.AsyncClient, scene: Scene) -> None:
    await http.put("/api/tenants/acme/origins", json={"origins": [APP]}, headers=scene.headers("alice"))
    cookie = {"cookie": f"vf_session={scene.tokens['alice']}", "origin": APP}
    problem(await http.put("/api/tenants/acme/origins", json={"origins": []}, headers=cookie), 403)
    read = await http.get("/api/tenants/acme", headers=cookie)
    assert "access-control-allow-origin" not in read.headers
    assert "access-control-allow-credentials" not in read.headers


async def test_the_list_is_kept_in_the_console(http: httpx2.AsyncClient, scene: Scene) -> None:
    own = {"cookie": f"vf_session={scene.tokens['alice']}", "sec-fetch-site": "same-origin"}
    asked = {"origins": f"{APP}, http://localhost:5173"}
    assert (await http.post("/console/t/acme/origins", data=asked, headers=own)).status_code == 303
    assert f'value="{APP} http://localhost:5173"' in (await http.get("/console/t/acme/settings", headers=own)).text
    wrong = await http.post("/console/t/acme/origins", data={"origins": "*"}, headers=own)
    assert (wrong.status_code, 'aria-invalid="true"' in wrong.text) == (400, True)
