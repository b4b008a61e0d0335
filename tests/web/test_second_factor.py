"""Second factors over HTTP and in the console."""

import re
from collections.abc import AsyncIterator

import httpx2
import msgspec
import pytest

from tests import cast
from tests.cast import PASSWORD
from tests.identity.apps import App, challenged, with_app
from tests.identity.authenticator import Authenticator
from tests.web.scene import problem
from tests.web.test_pages import browser, field, token_of
from veloflux import identity, tenants
from veloflux.context import Context
from veloflux.web.console.second_factor import COOKIE

ALICE = {"email": cast.email("alice"), "password": PASSWORD}


@pytest.fixture
async def app(web: str, one_ctx: Context) -> App:
    """Alice's."""
    return (await with_app(await cast.person(one_ctx, "alice")))[0]


@pytest.fixture
async def alice(web: str, one_ctx: Context) -> AsyncIterator[httpx2.AsyncClient]:
    """The browser of alice, who has no second factor yet."""
    await cast.person(one_ctx, "alice")
    async with browser(web, await token_of(one_ctx, "alice")) as client:
        yield client


async def test_a_log_in_is_two_requests_and_the_first_answers_no_token(http: httpx2.AsyncClient, app: App) -> None:
    first = problem(await http.post("/api/auth/login", json=ALICE), 401, "second_factor_required")
    assert first["methods"] == ["totp", "recovery_code"]
    assert "token" not in first
    wrong = {"challenge": first["challenge"], "code": "000000"}
    problem(await http.post("/api/auth/login/second-factor", json=wrong), 401, "second_factor_wrong")
    right = {"challenge": first["challenge"], "code": app.code()}
    second = await http.post("/api/auth/login/second-factor", json=right)
    assert second.status_code == 200
    headers = {"authorization": f"Bearer {second.json()['token']}"}
    assert (await http.get("/api/auth/factors", headers=headers)).json() == {
        "methods": ["totp", "recovery_code"],
        "proved": ["password", "totp"],
        "recovery_codes_left": 10,
    }
    again = await http.post("/api/auth/login/second-factor", json=right)
    problem(again, 401, "sign_in_expired")


async def test_a_wrong_password_says_nothing_of_the_second_factor(http: httpx2.AsyncClient, app: App) -> None:
    told = [
        problem(await http.post("/api/auth/login", json={"email": cast.email(name), "password": "wrong guess"}), 401)
        for name in ("alice", "nobody")
    ]
    assert {one["code"] for one in told} == {"credentials_wrong"}
    assert told[0].keys() == told[1].keys()


async def test_the_console_asks_for_the_code_and_goes_on_to_where_one_wanted(web: str, app: App) -> None:
    async with browser(web) as client:
        first = await client.post("/console/sign-in", data={**ALICE, "next": "/console/account"})
        there = first.headers["location"]
        assert there == "/console/sign-in/second-factor?next=/console/account"
        cookie = next(one for one in first.headers.get_list("set-cookie") if one.startswith(COOKIE))
        assert "HttpOnly" in cookie
        assert "Max-Age=300" in cookie
        assert 'data-action="auth.second_factor"' in (await client.get(there)).text
        wrong = await client.post("/console/sign-in/second-factor", data={"code": "1", "next": "/console/account"})
        assert wrong.status_code == 401
        assert 'aria-invalid="true"' in field(wrong.text, "code")
        assert 'value="/console/account"' in wrong.text
        done = await client.post(
            "/console/sign-in/second-factor", data={"code": app.code(), "next": "/console/account"}
        )
        assert done.headers["location"] == "/console/account"
        assert "Password + App" in re.sub(r"\s+", " ", (await client.get("/console/account")).text)


async def test_without_a_challenge_the_page_sends_back_to_the_password(web: str) -> None:
    async with browser(web) as client:
        asked = await client.get("/console/sign-in/second-factor?next=//evil.example")
        assert asked.headers["location"] == "/console/sign-in?next=/console"
        late = await client.post("/console/sign-in/second-factor", data={"code": "123456", "next": "/console"})
        assert late.status_code == 401
        assert 'data-action="auth.login"' in late.text
        assert "This sign-in is over" in late.text


async def test_whoever_is_invited_proves_the_second_factor_and_accepts_then(
    web: str, one_ctx: Context, app: App
) -> None:
    carol = await cast.person(one_ctx, "carol")
    globex = await cast.within(carol, await tenants.create_tenant(carol, "Globex"), "members:write")
    invitation = await tenants.invite(globex, cast.email("alice"), "viewer")
    path = f"/console/invitations/{cast.token(globex, invitation.id)}"
    async with browser(web) as client:
        asked = await client.post(path, data={"password": PASSWORD})
        assert asked.headers["location"] == f"/console/sign-in/second-factor?next={path}"
        done = await client.post("/console/sign-in/second-factor", data={"code": app.code(), "next": path})
        assert done.headers["location"] == path
        assert (await client.post(path)).headers["location"] == "/console/t/globex/usage"


async def test_an_app_is_added_on_the_account_page_shown_once_and_removed(
    alice: httpx2.AsyncClient, one_ctx: Context
) -> None:
    enrolled = await alice.post("/console/account/totp")
    assert enrolled.status_code == 200
    assert "<svg" in enrolled.text
    assert "style=" not in enrolled.text
    secret = re.search(r'<pre id="secret"[^>]*>([A-Z2-7]{32})</pre>', enrolled.text)
    assert secret
    wrong = await alice.post("/console/account/totp/confirm", data={"code": "000000"})
    assert wrong.status_code == 401
    assert secret[1] not in wrong.text
    app = App(secret[1])
    confirmed = await alice.post("/console/account/totp/confirm", data={"code": app.code()})
    assert len(re.findall(r"\b(?:[a-z2-7]{4}-){3}[a-z2-7]{4}\b", confirmed.text)) == 10
    assert "10 left" in (await alice.get("/console/account")).text
    renewed = await alice.post("/console/account/recovery-codes")
    assert renewed.status_code == 200
    await challenged(one_ctx, "alice")
    refused = await alice.post("/console/account/totp/remove", data={"password": "wrong guess", "code": ""})
    assert refused.status_code == 401
    removed = await alice.post("/console/account/totp/remove", data={"password": PASSWORD, "code": ""})
    assert removed.headers["location"] == "/console/account"
    assert await identity.log_in(cast.fresh(one_ctx), cast.email("alice"), PASSWORD)


async def test_an_old_session_is_raised_on_the_account_page(alice: httpx2.AsyncClient, one_ctx: Context) -> None:
    elsewhere = await identity.log_in(cast.fresh(one_ctx), cast.email("alice"), PASSWORD)
    app, _ = await with_app(cast.acting(one_ctx, elsewhere))
    assert 'data-action="totp.remove"' not in (await alice.get("/console/account")).text
    refused = await alice.post("/console/account/totp/remove", data={"password": PASSWORD, "code": ""})
    assert refused.status_code == 403
    raised = await alice.post("/console/account/step-up", data={"code": app.code()})
    assert raised.headers["location"] == "/console/account"
    assert 'data-action="totp.remove"' in (await alice.get("/console/account")).text


async def test_a_tenant_that_requires_it_sends_its_people_to_their_account(
    web: str, http: httpx2.AsyncClient, one_ctx: Context
) -> None:
    members = await cast.assemble(one_ctx)
    within = await cast.within(members.alice, members.acme)
    alice, bob = [{"authorization": f"Bearer {await token_of(one_ctx, name)}"} for name in ("alice", "bob")]
    unproved = await http.put("/api/tenants/acme/second-factor", json={"required": True}, headers=alice)
    problem(unproved, 403, "second_factor_needed")
    proved = within.acting(msgspec.structs.replace(within.actor, factors=("password", "totp")))
    await tenants.require_second_factor(proved, required=True)
    problem(await http.get("/api/tenants/acme", headers=bob), 403, "second_factor_needed")
    async with browser(web, bob["authorization"].removeprefix("Bearer ")) as client:
        sent = await client.get("/console/t/acme/usage")
        assert sent.headers["location"] == "/console/account?needed=second-factor"
        page = (await client.get(sent.headers["location"])).text
        assert "The tenant that you wanted to see requires a second factor." in page
        assert 'data-action="totp.enrol"' in page
        enrolled = await client.post("/console/account/totp")
        secret = re.search(r">([A-Z2-7]{32})<", enrolled.text)
        assert secret
        await client.post("/console/account/totp/confirm", data={"code": App(secret[1]).code()})
        assert (await client.get("/console/t/acme/usage")).status_code == 200


async def test_a_passkey_signs_in_from_the_origin_of_the_console_and_from_no_other(
    web: str, http: httpx2.AsyncClient, one_ctx: Context
) -> None:
    await cast.person(one_ctx, "alice")
    headers = {"authorization": f"Bearer {await token_of(one_ctx, 'alice')}"}
    phone = Authenticator(web)
    options = (await http.post("/api/auth/passkeys/options", headers=headers)).json()
    added = await http.post(
        "/api/auth/passkeys", json={"name": "Phone", "credential": phone.create(options)}, headers=headers
    )
    assert (added.status_code, len(added.json()["recovery_codes"])) == (201, 10)
    for origin, status in (("https://evil.example", 401), (web, 200)):
        phone.origin = origin
        signed = phone.get((await http.post("/api/auth/passkey/options")).json())
        assert (await http.post("/api/auth/passkey", json={"credential": signed})).status_code == status
    asked = problem(await http.post("/api/auth/login", json=ALICE), 401, "second_factor_required")
    answer = {"challenge": asked["challenge"], "credential": phone.get(asked["passkey"])}
    done = await http.post("/api/auth/login/second-factor", json=answer)
    assert done.json()["person"]["factors"] == ["password", "passkey"]
