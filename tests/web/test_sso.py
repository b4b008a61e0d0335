"""Signing in with a company, in front of a real provider process and over HTTP."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import msgspec
import pytest

from tests import cast, customers, whole_database
from tests.web import openid
from tests.web.conftest import serving
from tests.web.openid import text_of
from tests.web.scene import problem
from tests.web.test_pages import browser, token_of
from veloflux import tenants
from veloflux.context import Context
from veloflux.tenants import OidcTerms, oidc_links
from veloflux.web.access import COOKIE

ANA = {"sub": "ana", "email": "ana@example.com", "email_verified": True, "name": "Ana Lima", "groups": ["staff"]}
ALICE = {"sub": "alice", "email": "alice@example.com", "email_verified": True, "name": "Alice", "groups": ["bosses"]}
GUEST = {"sub": "guest", "email": "guest@example.com", "email_verified": True, "groups": ["guests"]}
SETTINGS = {"VELOFLUX_OIDC_PRIVATE_NETWORKS": "true", "VELOFLUX_REDIS_TIMEOUT_MS": "20000"}
PAGE = "/console/sso/link/"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with openid.provider(ANA, ALICE, GUEST) as url:
        yield url


@pytest.fixture(scope="module")
def open_web(standalone: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that lets providers be on loopback; its outbox is where the tests read theirs."""
    with serving(standalone, tmp_path_factory.mktemp("sso"), SETTINGS) as url:
        yield url


@pytest.fixture
async def acme(one_ctx: Context, issuer: str) -> Context:
    owner = await cast.person(one_ctx, "alice")
    inside = customers.of(owner, await tenants.create_tenant(owner, "Acme"))
    await connect(inside, issuer)
    return inside


@pytest.fixture
async def ana(open_web: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with browser(open_web) as client:
        yield client


async def connect(inside: Context, issuer: str, **changes: Any) -> None:
    settings = msgspec.structs.replace(inside.settings, oidc_private_networks=True)
    parts = msgspec.structs.replace(inside.parts, settings=settings)
    plain = OidcTerms(
        issuer=issuer,
        client_id="veloflux",
        roles={"bosses": "owner", "staff": "member"},
        domains=("example.com",),
        enabled=True,
    )
    opened = msgspec.structs.replace(inside, parts=parts)
    await tenants.set_oidc(opened, msgspec.structs.replace(plain, **changes), "a secret")


async def come_back(client: httpx2.AsyncClient, subject: str, company: str = "acme") -> httpx2.Response:
    """To the provider and back, as a browser goes."""
    sent = await client.get(f"/console/sso/{company}")
    assert sent.status_code == 303, sent.text
    return await client.get(await openid.choose(client, sent.headers["location"], subject))


async def link_to(ctx: Context) -> str:
    """The path of the only link that waits to be opened."""
    [link] = [key async for key in _links(ctx)]
    return f"{PAGE}{oidc_links.token_of(ctx.parts.secrets, *link)}"


async def _links(ctx: Context) -> AsyncIterator[tuple[str, str]]:
    for key in await whole_database.contents(ctx.db):
        if ":oidc_link:" in key:
            yield key.partition("{")[2].partition("}")[0], key.rpartition(":")[2]


async def test_a_newcomer_signs_in_with_the_company_from_the_first_page_to_the_last(
    open_web: str, acme: Context, ana: httpx2.AsyncClient
) -> None:
    assert "/console/sso" in (await ana.get("/console/sign-in")).text
    going = await ana.get("/console/sso?company=Acme")
    assert going.headers["refresh"] == "0; url=/console/sso/acme"
    first = await come_back(ana, "ana")
    assert "Look into your e-mail" in text_of(first.text)
    assert COOKIE not in ana.cookies
    path = await link_to(acme)
    assert "create my account" in (await ana.get(path)).text
    joined = await ana.post(path.replace("/link/", "/join/"))
    assert joined.headers["refresh"] == "0; url=/console/sso/acme"
    entered = await come_back(ana, "ana")
    assert (entered.status_code, entered.headers["location"]) == (303, "/console/t/acme/usage")
    shown = await ana.get("/console/t/acme/usage")
    assert (shown.status_code, "Ana Lima" in shown.text) == (200, True)
    assert "no longer works" in text_of((await ana.get(path)).text)


async def test_who_has_an_account_signs_in_to_it_before_the_link_is_made(
    open_web: str, acme: Context, ana: httpx2.AsyncClient
) -> None:
    await come_back(ana, "alice")
    path = await link_to(acme)
    page = await ana.get(path)
    assert f"/console/sign-in?next={path}" in page.text
    assert "create my account" not in page.text
    refused = await ana.post(path.replace("/link/", "/join/"))
    assert refused.status_code == 409
    async with browser(open_web, await token_of(acme, "alice")) as alice:
        assert "link it to my account" in (await alice.get(path)).text
        assert (await alice.post(path)).status_code == 200
    assert (await come_back(ana, "alice")).headers["location"] == "/console/t/acme/usage"


async def test_the_session_opens_its_tenant_and_neither_another_one_nor_the_account(
    open_web: str, acme: Context, ana: httpx2.AsyncClient
) -> None:
    alice = await cast.within(acme, await tenants.find(acme, "acme"))
    await tenants.create_tenant(alice, "Box")
    async with browser(open_web, await token_of(acme, "alice")) as own:
        await come_back(ana, "alice")
        await own.post(await link_to(acme))
        assert (await own.get("/console/t/box/usage")).status_code == 200
    await come_back(ana, "alice")
    headers = {"authorization": f"Bearer {ana.cookies[COOKIE]}"}
    async with httpx2.AsyncClient(base_url=open_web, headers=headers, timeout=30) as api:
        assert [one["slug"] for one in (await api.get("/api/tenants")).json()["items"]] == ["acme"]
        assert (await api.get("/api/tenants/acme")).status_code == 200
        problem(await api.get("/api/tenants/box"), 404)
        for method, path, body in (
            ("POST", "/api/auth/password", {"current": cast.PASSWORD, "password": "another good password"}),
            ("GET", "/api/auth/sessions", None),
            ("DELETE", "/api/auth/sessions?which=all", None),
            ("POST", "/api/tenants", {"name": "Mine"}),
            ("POST", "/api/auth/sso/link", {"token": "0"}),
        ):
            problem(await api.request(method, path, json=body), 403, "permission_denied", of=path)
        assert (await api.get("/api/auth/me")).json()["via"] == acme.tenant
    assert (await ana.get("/console/account")).text.count('data-action="auth.password"') == 0
    elsewhere = await ana.get("/console/t/box/usage")
    assert elsewhere.status_code == 404
    assert "signed in by your company" in text_of(elsewhere.text)
    assert (await ana.post("/console/tenants", data={"name": "Mine"})).status_code == 403


async def test_what_the_provider_refuses_is_a_page_with_a_sentence_and_a_way_back(
    acme: Context, ana: httpx2.AsyncClient
) -> None:
    sent = await ana.get("/console/sso/acme")
    back = await openid.deny(ana, sent.headers["location"])
    state = httpx2.URL(sent.headers["location"]).params["state"]
    path = httpx2.URL(sent.headers["location"]).params["redirect_uri"]
    assert "access_denied" in back
    declined = await ana.get(path, params={"error": "access_denied", "state": state, "error_description": "<b>x"})
    assert declined.status_code == 403
    assert "declined" in text_of(declined.text)
    assert "<b>x" not in declined.text
    assert 'action="/console/sso"' in declined.text
    refused = await come_back(ana, "guest")
    assert (refused.status_code, "None of your groups" in text_of(refused.text)) == (403, True)


async def test_a_way_back_works_once_and_in_the_browser_that_began(
    open_web: str, acme: Context, ana: httpx2.AsyncClient
) -> None:
    sent = await ana.get("/console/sso/acme")
    back = await openid.choose(ana, sent.headers["location"], "ana")
    async with browser(open_web) as victim:
        lured = await victim.get(back)
        assert (lured.status_code, COOKIE in victim.cookies) == (403, False)
    assert (await ana.get(back)).status_code == 200
    again = await ana.get(back)
    assert (again.status_code, "before" in text_of(again.text)) == (403, True)


async def test_the_cookie_of_a_sign_in_is_for_these_pages_alone(acme: Context, ana: httpx2.AsyncClient) -> None:
    sent = await ana.get("/console/sso/acme")
    cookie = next(line for line in sent.headers.get_list("set-cookie") if line.startswith("vf_sso="))
    assert {"HttpOnly", "Path=/console/sso", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}


async def test_unknown_companies_and_those_without_a_provider_look_alike(
    acme: Context, ana: httpx2.AsyncClient
) -> None:
    await tenants.create_tenant(acme, "Box")
    pages = [await ana.get(f"/console/sso/{name}") for name in ("box", "nobodys")]
    assert [page.status_code for page in pages] == [404, 404]
    assert text_of(pages[0].text) == text_of(pages[1].text)


async def test_an_owner_sets_tests_and_removes_the_provider_in_the_console(
    open_web: str, acme: Context, issuer: str
) -> None:
    form = {
        "issuer": issuer,
        "client_id": "other",
        "client_secret": "a new secret",
        "domains": "example.com, example.org",
        "roles": "cn=a,ou=b = admin\nstaff = viewer",
        "default_role": "",
        "scopes": "openid email",
        "email_claim": "email",
        "name_claim": "name",
        "groups_claim": "groups",
        "enabled": "on",
    }
    async with browser(open_web, await token_of(acme, "alice")) as alice:
        assert "/console/t/acme/sign-in" in (await alice.get("/console/t/acme/settings")).text
        assert (await alice.post("/console/t/acme/sign-in", data=form)).status_code == 303
        shown = (await alice.get("/console/t/acme/sign-in")).text
        assert "a new secret" not in shown
        assert "cn=a,ou=b = admin" in shown
        assert "The provider answers" in (await alice.post("/console/t/acme/sign-in/test")).text
        wrong = await alice.post("/console/t/acme/sign-in", data=form | {"roles": "staff = king"})
        assert (wrong.status_code, "staff = king" in wrong.text) == (400, True)
        assert (await alice.post("/console/t/acme/sign-in/remove")).status_code == 303
    assert await tenants.show_oidc(acme) is None


async def test_the_same_over_the_api(open_web: str, acme: Context, issuer: str) -> None:
    headers = {"authorization": f"Bearer {await token_of(acme, 'alice')}"}
    async with httpx2.AsyncClient(base_url=open_web, headers=headers, timeout=30) as api:
        place = "/api/tenants/acme/oidc"
        body = {"issuer": issuer, "client_id": "other", "client_secret": "a new secret", "domains": ["example.com"]}
        assert (await api.put(place, json=body)).json()["enabled"] is False
        shown = (await api.get(place)).json()
        assert "client_secret" not in shown
        assert shown["redirect_uri"].endswith(f"/console/sso/callback/{acme.tenant}")
        assert (await api.post(f"{place}/test")).json()["keys"] == 1
        elsewhere = body | {"issuer": f"{issuer}/elsewhere"}
        assert (await api.put(place, json=elsewhere)).status_code == 200
        problem(await api.post(f"{place}/test"), 502, "provider_unusable")
        assert (await api.delete(place)).status_code == 204
        assert (await api.get(place)).json()["id"] == ""
        problem(await api.post(f"{place}/test"), 409)
