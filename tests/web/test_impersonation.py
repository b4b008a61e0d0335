"""Over HTTP: what an impersonation may never do, whichever route it asks; and its banner in the console."""

import re
from typing import Any

import httpx2
import pytest

from tests.tenants.test_platform_roles import ruling
from tests.web.scene import Scene, problem, unchanged
from veloflux import users
from veloflux.context import Context
from veloflux.tenants.access import OUTLASTING
from veloflux.tenants.platform_roles import PLATFORM_PERMISSIONS
from veloflux.users.impersonate import PERMISSION
from veloflux.web import access, app, console

OPEN = {
    "auth.logout",
    "auth.me",
    "plans.list",
    "users.stop_impersonating",
    "console.start",
    "console.tenants",
    "console.tenants.create",
    "console.users.stop_impersonating",
}
"""What needs a session and is open to who acts as somebody else. Whatever changes how a person signs in must not be."""
VALUES = {"tenant": "acme", "session": "ses_1", "user": "usr_1", "key": "key_1", "invitation": "ivt_1"}


@pytest.fixture
async def as_alice(one_ctx: Context, scene: Scene) -> str:
    """The token by which who sits at the machine acts as Acme's owner."""
    me = await users.authenticate(one_ctx.parts, scene.tokens["alice"])
    return (await users.impersonate(await ruling(one_ctx), me.id, "Ticket 1")).token


def closed(handler: Any) -> bool:
    rule = handler.opt
    return rule.get("access") == "person" or rule.get("permission") in OUTLASTING or "platform" in rule


def test_what_a_route_of_sessions_leaves_open_is_listed_here() -> None:
    declared = {str(one.operation_id) for one in (*app.API, *console.HANDLERS) if one.opt.get("access") == "session"}
    assert declared == OPEN


async def test_every_route_of_the_own_account_and_whatever_outlasts_is_refused(
    http: httpx2.AsyncClient, one_ctx: Context, as_alice: str
) -> None:
    routes = [one for one in app.API if closed(one)]
    assert {"auth.password", "sessions.end_many", "invitations.accept", "api_keys.create"} <= {
        one.operation_id for one in routes
    }
    assert PERMISSION in PLATFORM_PERMISSIONS
    async with unchanged(one_ctx):
        for route in routes:
            [method] = route.http_methods - {"OPTIONS", "HEAD"}
            for path in route.paths:
                address = re.sub(r"{(\w+):str}", lambda found: VALUES.get(found[1], "x"), path)
                answer = await http.request(method, address, headers={"authorization": f"Bearer {as_alice}"})
                problem(answer, 403, "impersonation_forbids", of=route)


async def test_every_page_and_form_of_the_own_account_is_refused_in_the_console(
    http: httpx2.AsyncClient, one_ctx: Context, as_alice: str
) -> None:
    http.cookies.set(access.COOKIE, as_alice)
    headers = {"sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}
    async with unchanged(one_ctx):
        for handler in console.HANDLERS:
            if closed(handler):
                [method] = handler.http_methods - {"OPTIONS", "HEAD"}
                [path] = handler.paths
                address = re.sub(r"{(\w+):str}", lambda found: VALUES.get(found[1], "x"), path)
                answer = await http.request(method, address, headers=headers)
                assert answer.status_code == 403, handler


async def test_the_banner_is_on_every_page_until_its_button_returns_to_the_own_session(
    http: httpx2.AsyncClient, one_ctx: Context, scene: Scene
) -> None:
    bob = (await http.get("/api/admin/users", params={"q": "bob"}, headers=scene.headers("olivia"))).json()
    listed = (await http.get("/api/tenants/acme/members", headers=scene.headers("alice"))).json()["items"]
    user = next(one["id"] for one in listed if one["name"] == "Bob")
    assert [one["id"] for one in bob["items"]] in ([user], [])  # the index follows in a moment
    http.cookies.set(access.COOKIE, scene.tokens["olivia"])
    headers = {"sec-fetch-site": "same-origin", "accept-language": "en"}
    page = await http.get(f"/console/users/{user}", headers=headers)
    assert "Act as Bob" in page.text
    refused = await http.post(f"/console/users/{user}/impersonate", data={"minutes": "30"}, headers=headers)
    assert (refused.status_code, "The reason has" in refused.text) == (400, True)
    began = await http.post(
        f"/console/users/{user}/impersonate", data={"reason": "Ticket 1", "minutes": "30"}, headers=headers
    )
    assert began.status_code == 303
    for path in ("/console/tenants", "/console/t/acme/usage", "/console/api", "/console/account"):
        shown = await http.get(path, headers=headers)
        assert "You act as Bob (bob@example.com)." in shown.text, path
        assert shown.status_code == (403 if path == "/console/account" else 200)
    ended = await http.post("/console/impersonation/end", headers=headers)
    assert (ended.status_code, ended.headers["location"]) == (303, f"/console/users/{user}")
    shown = await http.get("/console/account", headers=headers)
    assert ("Olivia" in shown.text, "You act as Bob" in shown.text) == (True, False)
    assert access.OWN_COOKIE not in http.cookies
