"""The page that tells who may do what, and lets a tenant make roles of its own."""

import doctest
import re
from collections.abc import AsyncIterator

import httpx2
import pytest

from tests import cast
from tests.web.test_pages import browser, token_of
from veloflux import docs, tenants
from veloflux.context import Context
from veloflux.tenants import PERMISSIONS, ROLES, permissions
from veloflux.web import app, matrix
from veloflux.web.templating import HERE

ROLES_PAGE = "/console/t/acme/roles"
CELL = re.compile(r"<td>.*?</td>", re.S)


@pytest.fixture
async def alice(web: str, one_ctx: Context) -> AsyncIterator[httpx2.AsyncClient]:
    """The browser of alice, who owns Acme."""
    await cast.assemble(one_ctx)
    async with browser(web, await token_of(one_ctx, "alice")) as client:
        yield client


def granted(page: str, permission: str) -> list[bool]:
    """What the line of a permission says of each role."""
    line = next(row for row in page.split("<tr>") if f'<span class="sub mono">{permission}</span>' in row)
    return ["badge-good" in cell for cell in CELL.findall(line)]


def ticked(*permissions: str) -> dict[str, str]:
    return {f"permission:{one}": "1" for one in permissions}


async def test_the_matrix_tells_of_each_role_what_the_code_says(alice: httpx2.AsyncClient) -> None:
    page = (await alice.get(ROLES_PAGE)).text
    for permission in PERMISSIONS:
        assert granted(page, permission) == [permission in ROLES[role] for role in tenants.roles_of("ten_1")]
    for operation in ("roles.create", "limits.check", "events.record", "tenants.suspend"):
        assert operation in page


async def test_a_role_is_made_changed_given_and_deleted_in_the_console(
    alice: httpx2.AsyncClient,
) -> None:
    made = await alice.post(ROLES_PAGE, data={"name": "night_watch", "description": "At night", **ticked("usage:read")})
    assert (made.status_code, made.headers["location"]) == (303, ROLES_PAGE)
    page = (await alice.get(ROLES_PAGE)).text
    assert granted(page, "usage:read")[-1]
    assert not granted(page, "audit:read")[-1]
    assert '<option value="night_watch"' in (await alice.get("/console/t/acme/members")).text
    changed = await alice.post(f"{ROLES_PAGE}/night_watch", data={"description": "", **ticked("audit:read")})
    assert changed.status_code == 303
    assert granted((await alice.get(ROLES_PAGE)).text, "audit:read")[-1]
    key = {"name": "watch", "role": "night_watch"}
    assert (await alice.post("/console/t/acme/api-keys", data=key)).status_code == 200
    refused = await alice.post(f"{ROLES_PAGE}/night_watch/delete")
    assert (refused.status_code, "key_" in refused.text) == (409, True)
    [held] = (await alice.get("/api/tenants/acme/api-keys")).json()["items"]
    await alice.delete(f"/api/tenants/acme/api-keys/{held['id']}")
    assert (await alice.post(f"{ROLES_PAGE}/night_watch/delete")).status_code == 303


async def test_who_may_only_look_gets_no_form_and_a_made_up_one_is_refused(
    web: str, one_ctx: Context, alice: httpx2.AsyncClient
) -> None:
    async with browser(web, await token_of(one_ctx, "bob")) as bob:
        assert 'data-action="roles.' not in (await bob.get(ROLES_PAGE)).text
        answer = await bob.post(ROLES_PAGE, data={"name": "night_watch", **ticked("usage:read")})
    assert answer.status_code == 403


async def test_a_role_that_cannot_be_is_told_beside_the_form(alice: httpx2.AsyncClient) -> None:
    answer = await alice.post(ROLES_PAGE, data={"name": "owner", **ticked("usage:read")})
    assert (answer.status_code, 'aria-invalid="true"' in answer.text) == (409, True)
    assert (await alice.post(ROLES_PAGE, data={"name": "night_watch"})).status_code == 400


def test_what_the_routes_beside_the_framework_ask_is_told_of_each_of_them() -> None:
    assert matrix.BESIDE.keys() == {operation for operation, _ in app.RAW.values()}
    opened = matrix.opened({str(handler.operation_id): handler.opt for handler in app.API})
    assert opened.keys() <= PERMISSIONS.keys()
    assert "`roles.create`" in docs.permissions_page()


def test_every_permission_has_its_words_in_the_console() -> None:
    text = (HERE / "templates" / "_words.html").read_text("utf-8")
    named = text[text.index("macro permission_text") : text.index("macro plan_name")]
    assert set(re.findall(r'"(\w+:\w+)"', named)) == PERMISSIONS.keys()


@pytest.mark.parametrize("module", [matrix, permissions])
def test_the_worked_examples_hold(module: object) -> None:
    outcome = doctest.testmod(module)  # type: ignore[arg-type]
    assert outcome.attempted > 0
    assert outcome.failed == 0
