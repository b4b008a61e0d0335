"""Short-lived tokens over HTTP: a page of the tenant uses one, and the console ends it."""

import httpx2

from tests.web.scene import Scene, problem

APP = "https://app.example"
TOKENS = "/api/tenants/box/tokens"
EVENT = {"type": "http.request", "id": "a", "data": {"bytes": 1}}


async def test_a_server_makes_one_a_page_uses_it_and_the_console_ends_it(
    http: httpx2.AsyncClient, scene: Scene
) -> None:
    await http.put("/api/tenants/box/origins", json={"origins": [APP]}, headers=scene.headers("alice"))
    asked = {"permissions": ["usage:read", "usage:write"], "subject": "customer 7"}
    made = await http.post(TOKENS, json=asked, headers=scene.headers("key"))
    assert made.status_code == 201, made.text
    page = {"authorization": f"Bearer {made.json()['token']}", "origin": APP}
    read = await http.get("/api/tenants/box/usage", headers=page)
    assert (read.status_code, read.headers["access-control-allow-origin"]) == (200, APP)
    assert (await http.post("/api/events", json=EVENT, headers=page)).json()["accepted"] == 1
    elsewhere = await http.post("/api/events", json=EVENT, headers={**page, "origin": "https://other.example"})
    problem(elsewhere, 403, "origin_refused")
    problem(await http.post(TOKENS, json=asked, headers=page), 403, "permission_denied")
    problem(await http.get("/api/tenants/globex/usage", headers=page), 404)
    own = {"cookie": f"vf_session={scene.tokens['alice']}", "sec-fetch-site": "same-origin"}
    token = made.json()["shown"]["id"]
    shown = (await http.get("/console/t/box/api-keys", headers=own)).text
    assert "customer 7" in shown
    ended = await http.post(f"/console/t/box/tokens/{token}/revoke", headers=own)
    assert ended.status_code == 303
    problem(await http.get("/api/tenants/box/usage", headers=page), 401)
    assert (await http.get(TOKENS, headers=scene.headers("key"))).json()["items"] == []
    problem(await http.delete(f"{TOKENS}/{token}", headers=scene.headers("alice")), 404)
