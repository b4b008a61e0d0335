"""Sessions over HTTP: seen, ended with effect on the next request, never adopted, never ended by another site."""

import re

import httpx2

from tests import cast
from tests.web.scene import Scene, problem
from veloflux import identity
from veloflux.context import Context
from veloflux.web.access import COOKIE

ALICE = {"email": cast.email("alice"), "password": cast.PASSWORD}
FIREFOX = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def log_in(http: httpx2.AsyncClient, **headers: str) -> str:
    answer = await http.post("/api/auth/login", json=ALICE, headers=FIREFOX | headers)
    assert answer.status_code == 200
    return str(answer.json()["token"])


async def statuses(http: httpx2.AsyncClient, *tokens: str) -> list[int]:
    return [(await http.get("/api/auth/me", headers=bearer(token))).status_code for token in tokens]


async def test_the_list_says_device_and_address_and_others_end_by_the_next_request(
    http: httpx2.AsyncClient, scene: Scene
) -> None:
    here, there = await log_in(http), await log_in(http)
    [latest, *_] = (await http.get("/api/auth/sessions", headers=bearer(there))).json()["items"]
    assert (latest["device"], latest["address"], latest["is_current"]) == ("Firefox on Linux", "127.0.0.1", True)
    ended = await http.delete("/api/auth/sessions", params={"which": "others"}, headers=bearer(here))
    assert ended.status_code == 204
    assert await statuses(http, here, there, scene.tokens["alice"], scene.tokens["carol"]) == [200, 401, 401, 200]
    assert (await http.delete("/api/auth/sessions?which=all", headers=bearer(here))).status_code == 204
    assert await statuses(http, here) == [401]
    wrong = await http.delete("/api/auth/sessions?which=none", headers=bearer(scene.tokens["carol"]))
    problem(wrong, 400, "input_invalid")


async def test_a_token_that_is_sent_along_is_not_adopted(http: httpx2.AsyncClient, scene: Scene) -> None:
    planted = scene.tokens["carol"]
    for sent in (bearer(planted), {"cookie": f"{COOKIE}={planted}"}, {"cookie": f"{COOKIE}=chosen.{'a' * 32}"}):
        token = await log_in(http, **sent)
        assert token not in (planted, f"chosen.{'a' * 32}")
        assert (await http.get("/api/auth/me", headers=bearer(token))).json()["email"] == cast.email("alice")
    assert (await http.get("/api/auth/me", headers=bearer(planted))).json()["email"] == cast.email("carol")


async def test_another_sites_page_ends_no_session(http: httpx2.AsyncClient, scene: Scene) -> None:
    cookie = {"cookie": f"{COOKIE}={scene.tokens['alice']}"}
    for site in ({"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://evil.example"}):
        answer = await http.delete("/api/auth/sessions?which=all", headers=cookie | site)
        problem(answer, 403, "permission_denied")
        page = await http.post("/console/account/sessions/end", data={"which": "all"}, headers=cookie | site)
        assert page.status_code == 403
    assert await statuses(http, scene.tokens["alice"]) == [200]


async def test_the_console_shows_the_sessions_and_ends_the_others_or_all(
    http: httpx2.AsyncClient, scene: Scene, one_ctx: Context
) -> None:
    other = await log_in(http)
    mine = {"cookie": f"{COOKIE}={scene.tokens['alice']}", "sec-fetch-site": "same-origin"}
    page = (await http.get("/console/account", headers=mine)).text
    assert re.search(r"Firefox on Linux.*127\.0\.0\.1", page, re.DOTALL)
    ended = await http.post("/console/account/sessions/end", data={"which": "others"}, headers=mine)
    assert (ended.status_code, ended.headers["location"]) == (303, "/console/account")
    assert await statuses(http, scene.tokens["alice"], other) == [200, 401]
    ended = await http.post("/console/account/sessions/end", data={"which": "all"}, headers=mine)
    assert ended.headers["location"] == "/console/sign-in"
    assert await statuses(http, scene.tokens["alice"]) == [401]
    assert await identity.log_in(cast.fresh(one_ctx), **ALICE)
