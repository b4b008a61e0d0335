"""The console's pages by which people get an account, and care for its password."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from tests import cast
from tests.cast import PASSWORD
from tests.identity import links
from tests.web.test_pages import browser, field, sign_in, token_of
from veloflux import identity
from veloflux.context import Context


@pytest.fixture
async def alice(web: str, one_ctx: Context) -> AsyncIterator[httpx2.AsyncClient]:
    """The browser of alice."""
    await cast.person(one_ctx, "alice")
    async with browser(web, await token_of(one_ctx, "alice")) as client:
        yield client


async def test_signing_up_says_the_same_of_a_new_and_a_taken_address(web: str, alice: httpx2.AsyncClient) -> None:
    told = []
    async with browser(web) as client:
        for name in ("alice", "zelda"):
            account = {"name": name, "email": cast.email(name), "password": PASSWORD}
            by_page = await client.post("/console/sign-up", data=account)
            by_api = await client.post("/api/auth/register", json=account)
            asked = await client.post("/console/forgot-password", data={"email": cast.email(name)})
            by_api_too = await client.post("/api/auth/password-reset", json={"email": cast.email(name)})
            answers = (by_page, by_api, asked, by_api_too)
            assert [answer.status_code for answer in answers] == [200, 202, 200, 202]
            told.append([answer.text.replace(name, "NAME") for answer in answers])
    assert told[0] == told[1]
    assert "We have written to NAME@example.com." in told[0][0]


async def test_opening_the_link_of_a_registration_changes_nothing_and_its_button_makes_the_account(
    web: str, one_ctx: Context
) -> None:
    async with browser(web) as client:
        await client.post("/console/sign-up", data={"name": "Ana", "email": "ana@example.com", "password": PASSWORD})
        path = f"/console/verify/{await links.of_registration(one_ctx)}"
        for _ in range(2):
            assert 'data-action="auth.verify"' in (await client.get(path)).text
        assert await identity.find_by_email(one_ctx, identity.parse_email("ana@example.com")) is None
        confirmed = await client.post(path)
        assert confirmed.headers["location"] == "/console/sign-in"
        assert "Your address is confirmed" in (await client.get("/console/sign-in")).text
        again = await client.post(path)
        assert again.status_code == 409
        assert "This link no longer works" in again.text
    assert (await sign_in(web, "ana")).headers["location"] == "/console"


async def test_a_forgotten_password_is_set_anew_by_the_page_of_its_link(
    web: str, one_ctx: Context, alice: httpx2.AsyncClient
) -> None:
    person = await identity.find_by_email(one_ctx, identity.parse_email(cast.email("alice")))
    assert person
    async with browser(web) as client:
        assert "/console/forgot-password" in (await client.get("/console/sign-in")).text
        await client.post("/console/forgot-password", data={"email": cast.email("alice")})
        [token] = await links.of_reset(one_ctx, person.id)
        path = f"/console/reset/{token}"
        assert 'data-action="auth.password_reset_confirm"' in (await client.get(path)).text
        short = await client.post(path, data={"password": "short"})
        assert 'aria-invalid="true"' in field(short.text, "password")
        done = await client.post(path, data={"password": "a better horse"})
        assert done.headers["location"] == "/console/sign-in"
        assert (await client.post(path, data={"password": "a better horse"})).status_code == 401
    assert (await alice.get("/console/account")).status_code == 303


async def test_a_password_is_changed_on_the_page_of_the_account_which_stays_signed_in(
    web: str, one_ctx: Context, alice: httpx2.AsyncClient
) -> None:
    wrong = await alice.post("/console/account/password", data={"current": "no", "password": "a better horse"})
    assert wrong.status_code == 401
    assert 'aria-invalid="true"' in field(wrong.text, "current")
    async with browser(web, await token_of(one_ctx, "alice")) as elsewhere:
        done = await alice.post("/console/account/password", data={"current": PASSWORD, "password": "a better horse"})
        assert done.headers["location"] == "/console/account"
        assert "Your password was changed" in (await alice.get("/console/account")).text
        assert (await elsewhere.get("/console/account")).status_code == 303


async def test_the_address_is_changed_by_the_pages_of_both_links_whose_opening_changes_nothing(
    web: str, one_ctx: Context, alice: httpx2.AsyncClient
) -> None:
    person = await identity.find_by_email(one_ctx, identity.parse_email(cast.email("alice")))
    assert person
    assert "/console/account/email" in (await alice.get("/console/account")).text
    wrong = await alice.post("/console/account/email", data={"email": "alice@new.example", "current": "no"})
    assert 'aria-invalid="true"' in field(wrong.text, "current")
    done = await alice.post("/console/account/email", data={"email": "alice@new.example", "current": PASSWORD})
    assert done.headers["location"] == "/console/account"
    both = [f"/console/email/{token}" for token in await links.of_email_change(one_ctx, person.id)]
    async with browser(web) as client:
        for path in both:
            assert 'data-action="auth.email_refuse"' in (await client.get(path)).text
        for path in (both[0], both[0]):
            assert "open the link in the message to the other address" in (await client.post(path)).text
        assert "Your e-mail address was changed" in (await client.post(both[1])).text
        assert (await client.post(f"{both[1]}/refuse")).status_code == 401
    assert "alice@new.example" in (await alice.get("/console/account")).text


async def test_a_change_of_address_is_refused_by_the_page_of_its_link(
    web: str, one_ctx: Context, alice: httpx2.AsyncClient
) -> None:
    person = await identity.find_by_email(one_ctx, identity.parse_email(cast.email("alice")))
    assert person
    await alice.post("/console/account/email", data={"email": "alice@new.example", "current": PASSWORD})
    _, approve = await links.of_email_change(one_ctx, person.id)
    async with browser(web) as client:
        assert "The change was refused" in (await client.post(f"/console/email/{approve}/refuse")).text
        assert (await client.post(f"/console/email/{approve}")).status_code == 401
