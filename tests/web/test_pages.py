"""The console's pages over HTTP: who sees them, what they refuse, and what a browser may do with them."""

import html
import re
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from typing import Any

import httpx2
import pytest

from tests import cast
from tests.cast import PASSWORD
from tests.web.conftest import serving
from veloflux import identity, tenants
from veloflux.context import Context
from veloflux.tenants import Tenant
from veloflux.web import console
from veloflux.web.access import COOKIE

HOSTILE = """<script>alert(1)</script>"'{{7*7}}"""
TAG = re.compile(r"<[a-zA-Z][^>]*>")
IDS = {"session": "ses_0", "owner": "ten_1", "job": "job_0", "user": "usr_0", "key": "key_0", "passkey": "pky_0"}
OF_LIMITS = {"meter": "requests", "override": "feature:x", "grant": "grt_0", "reservation": "rsv_0"}
OF_BILLING = {"subscription": "sub_0", "invoice": "inv_0", "plan": "pro"}
ARGUMENTS = {"token": "0", "role": "watch", **IDS, **OF_LIMITS, **OF_BILLING}
NEW_TENANT = {"plan": "free", "zone": "UTC", "currency": "BRL", "language": "en", "mode": "live"}


def places(method: str, *, within: str = "", public: bool | None = None) -> list[str]:
    """The paths of the console's handlers; `within` picks those of a tenant, by their slug."""
    found = []
    for handler in console.HANDLERS:
        is_public = handler.opt.get("access") == "public"
        for path in handler.paths:
            if method not in handler.http_methods or (public is not None and public != is_public):
                continue
            if not within or "{tenant:str}" in path:
                arguments = {**ARGUMENTS, "tenant": within or "acme", "invitation": "ivt_0", "company": "x"}
                found.append(re.sub(r"{(\w+):str}", lambda match, known=arguments: known[match[1]], path))
    return sorted(found)


def browser(url: str, token: str = "", **headers: str) -> httpx2.AsyncClient:
    """What a browser sends from the console's own pages, signed in by a session's token."""
    cookies = {COOKIE: token} if token else {}
    return httpx2.AsyncClient(base_url=url, cookies=cookies, headers={"origin": url, **headers}, timeout=30)


async def token_of(ctx: Context, name: str) -> str:
    return (await identity.log_in(cast.fresh(ctx), cast.email(name), PASSWORD)).token


@pytest.fixture
async def alice(web: str, one_ctx: Context) -> AsyncIterator[httpx2.AsyncClient]:
    """The browser of alice, who owns Acme."""
    owner = await cast.person(one_ctx, "alice")
    await tenants.create_tenant(owner, "Acme")
    async with browser(web, await token_of(one_ctx, "alice")) as client:
        yield client


@pytest.fixture
async def olivia(web: str, one_ctx: Context) -> AsyncIterator[httpx2.AsyncClient]:
    """The browser of olivia, an operator."""
    await cast.operator(one_ctx, "olivia")
    async with browser(web, await token_of(one_ctx, "olivia")) as client:
        yield client


def cookies(answer: httpx2.Response) -> dict[str, Any]:
    found = SimpleCookie()
    for line in answer.headers.get_list("set-cookie"):
        found.load(line)
    return dict(found)


def field(page: str, name: str) -> str:
    """The tag of a form's field."""
    return next(tag for tag in TAG.findall(page) if f'id="f-{name}"' in tag)


@pytest.mark.parametrize("path", places("GET", public=False))
async def test_every_page_asks_to_sign_in_and_leads_back(http: httpx2.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/console/sign-in?next={path}"


@pytest.mark.parametrize("path", places("POST", public=False))
async def test_every_form_does_nothing_for_somebody_unknown(web: str, path: str) -> None:
    async with browser(web) as client:
        answer = await client.post(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in?next=/console")


async def test_pages_of_another_tenant_do_not_exist(web: str, one_ctx: Context, alice: httpx2.AsyncClient) -> None:
    await tenants.create_tenant(await cast.person(one_ctx, "carol"), "Globex")
    for method in ("GET", "POST"):
        for path in places(method, within="globex"):
            theirs = await alice.request(method, path)
            absent = await alice.request(method, path.replace("globex", "nobodys"))
            assert (theirs.status_code, absent.status_code) == (404, 404), path
            assert told(theirs.text).replace("globex", "nobodys") == told(absent.text)


def told(page: str) -> str:
    """What an error page says, without the request's id."""
    return re.sub(r"req_\w+", "", page[page.index("<main") : page.index("</main>")])


@pytest.mark.parametrize("path", ["/console/jobs", "/console/outbox"])
async def test_pages_of_operators_are_refused_to_others(
    alice: httpx2.AsyncClient, olivia: httpx2.AsyncClient, path: str
) -> None:
    assert (await alice.get(path)).status_code == 403
    assert (await olivia.get(path)).status_code == 200


async def test_a_member_sees_no_form_that_the_role_does_not_allow_and_cannot_send_it(
    web: str, one_ctx: Context, alice: httpx2.AsyncClient
) -> None:
    acme = await tenants.find(one_ctx, "acme")
    owner = await cast.within(cast.acting(one_ctx, await log_in(one_ctx, "alice")), acme)
    await cast.join(owner, await cast.person(one_ctx, "bob"), "member")
    async with browser(web, await token_of(one_ctx, "bob")) as bob:
        page = await bob.get("/console/t/acme/members")
        sent = await bob.post("/console/t/acme/members/invite", data={"email": "x@example.com", "role": "viewer"})
    assert 'data-action="invitations.create"' not in page.text
    assert sent.status_code == 403
    assert 'data-action="invitations.create"' in (await alice.get("/console/t/acme/members")).text


async def log_in(ctx: Context, name: str) -> Any:
    return await identity.log_in(cast.fresh(ctx), cast.email(name), PASSWORD)


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": ""},
    ],
)
async def test_a_form_sent_from_another_site_is_refused_and_changes_nothing(
    web: str, one_ctx: Context, alice: httpx2.AsyncClient, headers: dict[str, str]
) -> None:
    for path in ("/console/t/acme/api-keys", "/console/sign-out"):
        answer = await alice.post(path, data={"name": "stolen", "role": "owner"}, headers=headers)
        assert answer.status_code == 403, path
        assert "came from another site" in answer.text
    keys = await alice.get("/console/t/acme/api-keys")
    assert keys.status_code == 200
    assert "stolen" not in keys.text


async def test_a_form_of_ours_is_accepted_with_fetch_metadata_alone(alice: httpx2.AsyncClient) -> None:
    headers = {"sec-fetch-site": "same-origin", "origin": "null"}
    assert (await alice.post("/console/sign-out", headers=headers)).status_code == 303


async def test_hostile_names_are_shown_as_text_on_every_page(web: str, olivia: httpx2.AsyncClient) -> None:
    made = await olivia.post("/console/tenants", data={**NEW_TENANT, "name": HOSTILE, "slug": "evil"})
    assert made.status_code == 303
    assert (await olivia.post("/console/t/evil/api-keys", data={"name": HOSTILE, "role": "member"})).status_code == 200
    for path in ("/console/tenants", "/console/t/evil/usage", "/console/t/evil/api-keys", "/console/t/evil/audit"):
        page = (await olivia.get(path)).text
        assert "<script>alert" not in page, path
        assert html.escape(HOSTILE, quote=True).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in page, path


@pytest.mark.parametrize("path", ["/console/t/<script>alert(1)</script>/usage", "/console/<script>alert(1)</script>"])
async def test_hostile_addresses_are_shown_as_text(olivia: httpx2.AsyncClient, path: str) -> None:
    answer = await olivia.get(path)
    assert answer.status_code == 404
    assert "<script>alert" not in answer.text


async def test_every_page_has_the_strict_policy_and_needs_no_more(
    alice: httpx2.AsyncClient, olivia: httpx2.AsyncClient, http: httpx2.AsyncClient
) -> None:
    seen = 0
    for client in (alice, olivia, http):
        for path in places("GET"):
            answer = await client.get(path)
            policy = answer.headers["content-security-policy"]
            assert "unsafe" not in policy
            assert "default-src 'self'" in policy
            assert "frame-ancestors 'none'" in policy
            assert answer.headers["cache-control"] == "no-store"
            seen += answer.status_code == 200
            assert [tag for tag in TAG.findall(answer.text) if re.search(r"\s(style|on\w+)=|^<style", tag)] == [], path
            assert all(" src=" in tag for tag in TAG.findall(answer.text) if tag.startswith("<script")), path
    assert seen > 15


async def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(
    web: str, alice: httpx2.AsyncClient
) -> None:
    signed_in = await sign_in(web, "alice")
    cookie = cookies(signed_in)[COOKIE]
    assert (cookie["httponly"], cookie["samesite"].lower(), cookie["path"]) == (True, "lax", "/")
    assert not cookie["secure"]


async def test_behind_https_the_session_cookie_leaves_by_https_alone(
    standalone: str, tmp_path_factory: pytest.TempPathFactory, one_ctx: Context
) -> None:
    await cast.person(one_ctx, "alice")
    public = {"VELOFLUX_PUBLIC_URL": "https://console.example"}
    with serving(standalone, tmp_path_factory.mktemp("tls"), public) as url:
        answer = await sign_in(url, "alice", origin="https://console.example", host="console.example")
    assert answer.status_code == 303
    assert cookies(answer)[COOKIE]["secure"]
    assert "max-age" in answer.headers["strict-transport-security"]


async def sign_in(url: str, name: str, then: str = "/console", token: str = "", **headers: str) -> httpx2.Response:
    form = {"email": cast.email(name), "password": PASSWORD, "next": then}
    async with browser(url, token, **headers) as client:
        return await client.post("/console/sign-in", data=form)


async def test_signing_in_gives_a_fresh_session_and_ends_the_one_before(web: str, alice: httpx2.AsyncClient) -> None:
    planted = cookies(await sign_in(web, "alice", token="planted"))[COOKIE].value
    again = cookies(await sign_in(web, "alice", token=planted))[COOKIE].value
    assert len({"planted", planted, again}) == 3
    async with browser(web, planted) as before, browser(web, again) as now:
        assert (await before.get("/console/account")).status_code == 303
        assert (await now.get("/console/account")).status_code == 200


async def test_signing_out_ends_the_session_itself(web: str, alice: httpx2.AsyncClient) -> None:
    token = alice.cookies[COOKIE]
    answer = await alice.post("/console/sign-out")
    assert cookies(answer)[COOKIE]["max-age"] == "0"
    async with browser(web, token) as thief:
        assert (await thief.get("/console/account")).status_code == 303


@pytest.mark.parametrize(
    "then",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/consoles",
        "/console\\@evil.example",
        "/console/\r\nset-cookie: a=b",
        "javascript:alert(1)",
        "/api/schema",
        "",
    ],
)
async def test_nobody_is_led_away_from_the_console(web: str, alice: httpx2.AsyncClient, then: str) -> None:
    assert (await sign_in(web, "alice", then)).headers["location"] == "/console"
    chosen = await alice.post("/console/language", data={"language": "en", "next": then})
    assert chosen.headers["location"] == "/console"
    assert (await alice.get("/console/sign-in", params={"next": then})).headers["location"] == "/console"


async def test_who_signs_in_is_led_to_the_page_that_was_asked_for(web: str, alice: httpx2.AsyncClient) -> None:
    there = "/console/t/acme/usage?meter=bytes&month=2015-05"
    async with browser(web) as client:
        asked = await client.get(there)
        page = await client.get(asked.headers["location"])
    offered = html.unescape(re.search(r'name="next" value="([^"]*)"', page.text)[1])  # type: ignore[index]
    assert offered == there
    assert (await sign_in(web, "alice", offered)).headers["location"] == there


async def test_a_problem_stands_at_its_field_and_what_was_typed_is_kept(web: str, one_ctx: Context) -> None:
    async with browser(web) as client:
        answer = await client.post(
            "/console/sign-up", data={"name": "Ana Souza", "email": "no address", "password": "unseen password"}
        )
    assert answer.status_code == 400
    assert 'value="Ana Souza"' in field(answer.text, "name")
    assert 'aria-invalid="true"' in field(answer.text, "email")
    assert re.search(r'id="e-email">.*This is not an e-mail address', answer.text, re.DOTALL)
    assert "unseen password" not in answer.text


@pytest.mark.parametrize(
    ("path", "form", "wrong"),
    [
        ("/console/tenants", {**NEW_TENANT, "name": ""}, "name"),
        ("/console/tenants", {**NEW_TENANT, "name": "Acme"}, "slug"),
        ("/console/tenants", {**NEW_TENANT, "name": "B", "slug": "no slug"}, "slug"),
        ("/console/tenants", {**NEW_TENANT, "name": "Beta", "zone": "Nowhere"}, "zone"),
        ("/console/tenants", {**NEW_TENANT, "name": "Beta", "currency": "XXXX"}, "currency"),
        ("/console/t/acme/api-keys", {"name": " ", "role": "member"}, "name"),
        ("/console/t/acme/members/invite", {"email": "nobody", "role": "viewer"}, "email"),
        ("/console/t/acme/members/invite", {"email": "alice@example.com", "role": "viewer"}, "email"),
    ],
)
async def test_each_field_shows_its_own_problem(
    alice: httpx2.AsyncClient, path: str, form: dict[str, str], wrong: str
) -> None:
    answer = await alice.post(path, data=form)
    assert answer.status_code in (400, 409)
    assert 'aria-invalid="true"' in field(answer.text, wrong)


async def test_a_choice_that_was_not_offered_is_refused_without_a_fault(alice: httpx2.AsyncClient) -> None:
    for odd in ({"mode": "x"}, {"language": "xx"}, {"plan": "gold"}, {"plan": "pro"}):
        answer = await alice.post("/console/tenants", data={**NEW_TENANT, "name": "Beta", **odd})
        assert answer.status_code in (400, 403), odd
    assert (await alice.get("/console/t/beta/usage")).status_code == 404


@pytest.mark.parametrize("body", [b"name=%ff", b"\xff\xfe", b"&".join([b"a=1"] * 1000)])
async def test_a_form_that_cannot_be_read_is_refused(alice: httpx2.AsyncClient, body: bytes) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = await alice.post("/console/t/acme/api-keys", content=body, headers=headers)
    assert answer.status_code == 400
    assert "cannot be read" in answer.text


async def test_a_key_is_restricted_and_rotated_by_forms(alice: httpx2.AsyncClient) -> None:
    terms = {"days": "30", "addresses": "203.0.113.9, 2001:db8::/32", "permission:usage:write": "1"}
    made = await alice.post("/console/t/acme/api-keys", data={"name": "server", "role": "member"} | terms)
    assert made.status_code == 200
    listed = await text(alice, "api-keys")
    assert "203.0.113.9/32, 2001:db8::/32" in listed
    [rotate] = re.findall(r'action="(/console/t/acme/api-keys/key_\w+/rotate)"', listed)
    rotated = await alice.post(rotate, data={"hours": "24"})
    assert rotated.status_code == 200
    assert "vf_live_" in rotated.text
    assert rotate not in await text(alice, "api-keys")
    assert (await alice.post(rotate, data={"hours": "24"})).status_code == 409
    wrong = await alice.post("/console/t/acme/api-keys", data={"name": "x", "role": "member", "addresses": "nowhere"})
    assert wrong.status_code == 400


async def test_an_api_key_is_shown_in_the_answer_to_its_form_and_never_again(alice: httpx2.AsyncClient) -> None:
    made = await alice.post("/console/t/acme/api-keys", data={"name": "server", "role": "member"})
    [token] = set(re.findall(r"vf_live_[0-9a-z]+_[0-9a-z]{32}", made.text))
    assert made.headers["cache-control"] == "no-store"
    listed = (await alice.get("/console/t/acme/api-keys")).text
    assert token not in listed
    assert token[: token.rindex("_") + 5] in listed


async def test_what_was_done_is_said_once(alice: httpx2.AsyncClient) -> None:
    answer = await alice.post("/console/tenants", data={**NEW_TENANT, "name": "Second"})
    first, second = await alice.get(answer.headers["location"]), await alice.get(answer.headers["location"])
    assert "The tenant is ready." in first.text
    assert "The tenant is ready." not in second.text


async def test_somebody_new_accepts_an_invitation_by_its_link_and_nobody_after_them(
    web: str, one_ctx: Context, alice: httpx2.AsyncClient
) -> None:
    link = await invitation(one_ctx, alice, "bob@example.com")
    async with browser(web) as bob, browser(web) as late:
        assert "You were invited as bob@example.com" in (await bob.get(link)).text
        short = await bob.post(link, data={"name": "Bob", "email": "other@example.com", "password": "short"})
        assert 'aria-invalid="true"' in field(short.text, "password")
        joined = await bob.post(link, data={"name": "Bob", "email": "other@example.com", "password": PASSWORD})
        assert joined.headers["location"] == "/console/t/acme/usage"
        assert "bob@example.com" in (await bob.get("/console/account")).text
        refused = await late.post(link, data={"name": "Eve", "password": PASSWORD})
        assert refused.status_code == 409
        assert "This link no longer works" in refused.text


async def test_an_invitation_is_not_for_whoever_else_is_signed_in(one_ctx: Context, alice: httpx2.AsyncClient) -> None:
    link = await invitation(one_ctx, alice, "bob@example.com")
    assert "You are signed in as alice@example.com" in (await alice.get(link)).text
    assert (await alice.post(link)).status_code == 403


async def invitation(ctx: Context, client: httpx2.AsyncClient, email: str) -> str:
    """The path of the link that somebody got."""
    sent = await client.post("/console/t/acme/members/invite", data={"email": email, "role": "viewer"})
    assert sent.status_code == 303
    acme: Tenant = await tenants.find(ctx, "acme")
    [waiting] = (await tenants.list_invitations(ctx.within(tenants.scope_of(acme)))).items
    return f"/console/invitations/{cast.token(ctx.within(tenants.scope_of(acme)), waiting.id)}"


async def test_the_setup_link_makes_one_operator(web: str, one_ctx: Context) -> None:
    link = await tenants.new_setup_link(one_ctx)
    assert link
    path = link[link.index("/console") :]
    form = {"name": "Olivia", "email": "olivia@example.com", "password": PASSWORD}
    async with browser(web) as olivia, browser(web) as late:
        assert (await olivia.get(path)).status_code == 200
        assert (await olivia.post(path, data=form)).headers["location"] == "/console/tenants"
        assert (await olivia.get("/console/jobs")).status_code == 200
        for answer in (await late.get(path), await late.post(path, data={**form, "email": "eve@example.com"})):
            assert answer.status_code == 401
            assert "This link no longer works" in answer.text


async def test_the_language_is_chosen_and_kept(http: httpx2.AsyncClient, web: str) -> None:
    async with browser(web) as client:
        chosen = await client.post("/console/language", data={"language": "pt-BR", "next": "/console/sign-up"})
        assert chosen.headers["location"] == "/console/sign-up"
        assert '<html lang="pt-BR">' in (await client.get("/console/sign-up")).text
        await client.post("/console/language", data={"language": "tlh", "next": "/console"})
        assert '<html lang="pt-BR">' in (await client.get("/console/sign-up")).text
    asked = await http.get("/console/sign-in", headers={"accept-language": "pt"})
    assert '<html lang="pt-BR">' in asked.text


async def test_an_unknown_address_is_a_page_to_people_and_a_problem_to_programs(http: httpx2.AsyncClient) -> None:
    page, problem = await http.get("/console/nothing"), await http.get("/api/nothing")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert (problem.status_code, problem.headers["content-type"]) == (404, "application/problem+json")


async def test_the_root_leads_to_the_console(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/")).headers["location"] == "/console"


async def test_a_part_of_a_page_asked_for_without_a_session_sends_the_whole_page_to_sign_in(
    http: httpx2.AsyncClient,
) -> None:
    answer = await http.get("/console/jobs", headers={"hx-request": "true"})
    assert answer.headers["hx-redirect"] == "/console/sign-in?next=/console/jobs"


async def test_a_month_without_usage_shows_its_days_and_one_that_cannot_be_is_not_believed(
    alice: httpx2.AsyncClient,
) -> None:
    for month in ("2015-05", "2015-13", "9999-99", "../..", "2099-12"):
        assert (await alice.get("/console/t/acme/usage", params={"month": month})).status_code == 200, month
    assert (await alice.get("/console/t/acme/usage", params={"meter": "nothing"})).status_code == 400


async def test_operators_look_after_their_own_number(web: str, one_ctx: Context, olivia: httpx2.AsyncClient) -> None:
    page = await olivia.get("/console/t/platform/members")
    assert "olivia@example.com" in page.text
    invite = page.text[: page.text.index("</form>", page.text.index("/invite"))]
    assert re.findall(r'<option value="([\w-]+)"', invite) == ["operator", "support", "finance", "read-only"]
    assert (await olivia.post("/console/t/platform/members/olivia/remove")).status_code == 404
    last = await olivia.post(f"/console/t/platform/members/{await id_of(one_ctx, 'olivia')}/remove")
    assert last.status_code == 409
    assert "The last operator cannot be removed" in last.text


async def id_of(ctx: Context, name: str) -> str:
    return (await log_in(ctx, name)).person.id  # type: ignore[no-any-return]


async def test_an_ended_session_is_over_in_its_browser(web: str, one_ctx: Context, alice: httpx2.AsyncClient) -> None:
    elsewhere = await log_in(one_ctx, "alice")
    ended = await alice.post(f"/console/account/sessions/{elsewhere.person.session}/end")
    assert ended.headers["location"] == "/console/account"
    async with browser(web, elsewhere.token) as other:
        assert (await other.get("/console/account")).status_code == 303
    assert (await alice.get("/console/account")).status_code == 200


async def test_a_revoked_key_stays_in_the_list_and_cannot_be_revoked_from_another_tenant(
    web: str, one_ctx: Context, alice: httpx2.AsyncClient
) -> None:
    await alice.post("/console/t/acme/api-keys", data={"name": "server", "role": "member"})
    [revoke] = re.findall(r'action="(/console/t/acme/api-keys/key_\w+/revoke)"', await text(alice, "api-keys"))
    await tenants.create_tenant(await cast.person(one_ctx, "carol"), "Globex")
    async with browser(web, await token_of(one_ctx, "carol")) as carol:
        assert (await carol.post(revoke)).status_code == 404
        assert (await carol.post(revoke.replace("acme", "globex"))).status_code == 404
    assert revoke in await text(alice, "api-keys")
    assert (await alice.post(revoke)).status_code == 303
    assert revoke not in await text(alice, "api-keys")
    assert "Revoked" in await text(alice, "api-keys")


async def text(client: httpx2.AsyncClient, page: str) -> str:
    answer = await client.get(f"/console/t/acme/{page}")
    assert answer.status_code == 200
    return answer.text


async def test_an_owner_archives_deletes_and_restores_in_the_console(alice: httpx2.AsyncClient) -> None:
    here = "/console/t/acme"
    assert (await alice.post(f"{here}/rename", data={"name": "Acme Brasil", "slug": "acme"})).status_code == 303
    assert (await alice.post(f"{here}/suspend", data={"reason": "overdue"})).status_code == 403
    wrong = await alice.post(f"{here}/delete", data={"confirm": "acm"})
    assert (wrong.status_code, 'aria-invalid="true"' in wrong.text) == (400, True)
    further_settings = {"require_second_factor", "set_failure_policy", "set_origins"}
    settings = {"archive", "change_record", "delete", "rename"} | further_settings
    offered = {"": settings, "archive": {"restore", "delete"}, "delete": {"restore"}}
    for verb, further in offered.items():
        if verb:
            assert (await alice.post(f"{here}/{verb}", data={"confirm": "acme"})).status_code == 303
        page = (await alice.get(f"{here}/settings")).text
        assert set(re.findall(r'data-action="tenants\.(\w+)"', page)) == further
        assert "Acme Brasil" in page
    assert "Acme Brasil" not in (await alice.get("/console/tenants")).text
    assert "Acme Brasil" in (await alice.get("/console/tenants?archived=true")).text
    assert (await alice.post(f"{here}/restore")).status_code == 303
    assert "Acme Brasil" in (await alice.get("/console/tenants")).text
