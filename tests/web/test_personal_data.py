"""Taking one's data along and being erased, by HTTP and on the pages; a tenant's export."""

import httpx2
import pytest

from tests import cast
from tests.cast import PASSWORD
from tests.web.scene import Scene, problem, token
from tests.web.test_pages import browser
from veloflux import identity
from veloflux.context import Context
from veloflux.db import keys


@pytest.fixture
async def bob(scene: Scene, one_ctx: Context) -> dict[str, str]:
    """Headers of who owns nothing."""
    return {"authorization": f"Bearer {await token(one_ctx, 'bob')}"}


async def test_a_person_downloads_everything_with_the_password(http: httpx2.AsyncClient, bob: dict[str, str]) -> None:
    wrong = await http.post("/api/auth/personal-data", json={"current": "no"}, headers=bob)
    problem(wrong, 401, "credentials_wrong")
    answer = await http.post("/api/auth/personal-data", json={"current": PASSWORD}, headers=bob)
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="personal-data.json"'
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("application/json", "no-store")
    records = answer.json()
    assert [record["value"]["email"] for record in records if record["kind"] == "user"] == [cast.email("bob")]
    others = ("alice", "carol", "olivia")
    assert [name for name in others if cast.email(name) in answer.text] == []


async def test_a_person_asks_for_the_erasure_and_takes_it_back(
    http: httpx2.AsyncClient, bob: dict[str, str], scene: Scene
) -> None:
    asked = await http.post("/api/auth/erasure", json={"current": PASSWORD}, headers=bob)
    assert asked.status_code == 202
    assert asked.json()["erase_at"]
    kept = await http.delete("/api/auth/erasure", headers=bob)
    assert (kept.status_code, kept.json()) == (200, {"erase_at": None})
    owner = await http.post("/api/auth/erasure", json={"current": PASSWORD}, headers=scene.headers("alice"))
    assert "acme" in problem(owner, 409, "last_owner")["detail"]


async def test_an_owner_downloads_a_tenant_and_nobody_else_does(
    http: httpx2.AsyncClient, bob: dict[str, str], scene: Scene
) -> None:
    path = "/api/tenants/acme/export"
    problem(await http.get(path, headers=bob), 403)
    problem(await http.get(path, headers=scene.headers("carol")), 404)
    answer = await http.get(path, headers=scene.headers("alice"))
    assert answer.headers["content-disposition"] == 'attachment; filename="acme.json"'
    records = answer.json()
    assert {"tenant", "member", "invitation", "limits", "event"} <= {record["kind"] for record in records}
    assert [record["value"]["name"] for record in records if record["kind"] == "tenant"] == ["Acme"]
    owners = {keys.owner_in(record["id"]) for record in records if record["kind"] != "event"}
    assert owners == {scene.acme.tenant}
    assert "Globex" not in answer.text


async def test_the_pages_do_the_same(web: str, scene: Scene, one_ctx: Context) -> None:
    async with browser(web, await token(one_ctx, "bob")) as client:
        account = (await client.get("/console/account")).text
        data, erasure = "/console/account/personal-data", "/console/account/erasure"
        assert data in account
        assert erasure in account
        assert (await client.get(data)).status_code == 200
        wrong = await client.post(data, data={"current": "no"})
        assert wrong.status_code == 401
        assert 'aria-invalid="true"' in wrong.text
        file = await client.post(data, data={"current": PASSWORD})
        assert cast.email("bob") in file.text
        assert file.headers["content-disposition"].startswith("attachment")
        assert "After 7 days" in (await client.get(erasure)).text
        asked = await client.post(erasure, data={"current": PASSWORD})
        assert asked.headers["location"] == erasure
        assert 'data-action="auth.keep"' in (await client.get(erasure)).text
        assert (await client.post(f"{erasure}/end")).headers["location"] == erasure
        assert 'data-action="auth.erase"' in (await client.get(erasure)).text
    bob = await identity.find_by_email(one_ctx, identity.parse_email(cast.email("bob")))
    assert bob
    assert bob.erase_at is None
    async with browser(web, await token(one_ctx, "alice")) as client:
        assert "nobody else is owner" in (await client.post(erasure, data={"current": PASSWORD})).text
