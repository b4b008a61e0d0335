"""What a page of another origin may ask and read."""

import httpx2
import pytest

from tests.web.scene import Scene, problem
from veloflux import tenants
from veloflux.tenants import KeyTerms

APP = "https://app.example"
EVENT = {"type": "http.request", "id": "a", "data": {"bytes": 1}}


@pytest.fixture
async def token(scene: Scene) -> str:
    """A publishable key for the pages of APP."""
    made = await tenants.create_api_key(scene.box, "page", "", KeyTerms(origins=(APP,)), "publishable")
    return made.token


async def test_a_preflight_of_events_is_answered_alike_to_everybody(http: httpx2.AsyncClient) -> None:
    for origin in (APP, "https://other.example"):
        answer = await http.options("/api/events", headers={"origin": origin, "access-control-request-method": "POST"})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, "*")
        assert "authorization" in answer.headers["access-control-allow-headers"]
        assert "access-control-allow-credentials" not in answer.headers


async def test_a_page_records_and_reads_the_answer_and_one_of_elsewhere_is_refused(
    http: httpx2.AsyncClient, token: str
) -> None:
    auth = {"authorization": f"Bearer {token}"}
    answer = await http.post("/api/events", json=EVENT, headers={**auth, "origin": APP})
    assert (answer.status_code, answer.json()["recorded"]) == (200, 1)
    assert answer.headers["access-control-allow-origin"] == APP
    assert "origin" in answer.headers["vary"]
    refused = await http.post("/api/events", json=EVENT, headers={**auth, "origin": "https://other.example"})
    problem(refused, 403, "permission_denied")
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
