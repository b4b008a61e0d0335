"""The page of a tenant's limits, and the form that explains a refusal."""

import re
from collections.abc import AsyncIterator

import httpx2
import pytest

from tests import customers
from tests.customers import put_policy, quota, rate
from tests.web.scene import Scene
from tests.web.test_pages import browser
from tests.worker.working import until
from veloflux.limits import Question, check, commit, reserve

HERE = "/console/t/acme/limits"


@pytest.fixture
async def alice(web: str, scene: Scene) -> AsyncIterator[httpx2.AsyncClient]:
    async with browser(web, scene.tokens["alice"]) as client:
        yield client


async def test_the_page_shows_how_each_limit_stands(alice: httpx2.AsyncClient, scene: Scene) -> None:
    limits = (quota(10), quota(4, period="day", shadow=True))
    await put_policy(scene.acme, rates=(rate("by_address", per="address"), rate()), quotas=limits)
    for _ in range(6):
        await check(scene.acme.parts, scene.acme.tenant, Question(meter="requests"))
    page = (await alice.get(HERE)).text
    assert 'max="10" value="6"' in page
    assert "It would have refused 2 times." in page
    assert "Told at 50, 80, 100 %" not in page  # these quotas tell nothing
    assert "by_address" not in page
    assert 'id="told-title"' not in page


async def test_the_form_explains_a_refusal_and_counts_nothing(alice: httpx2.AsyncClient, scene: Scene) -> None:
    await put_policy(scene.acme, rates=(rate("by_address", burst=2, per="address"),), quotas=(quota(3),))
    query = {"meter": "requests", "cost": "4", "address": "203.0.113.9"}
    page = (await alice.get(HERE, params=query)).text
    assert "It would be refused" in page
    assert page.count("<li>Quota: Month: 3 left of 3, and 4 are asked for.</li>") == 1
    assert "Raise the quota" in page
    assert "Ask from another address." in page
    assert "It would pass" in (await alice.get(HERE, params=query | {"cost": "1"})).text


async def test_a_key_that_is_revoked_is_the_reason(alice: httpx2.AsyncClient, scene: Scene) -> None:
    gone = await customers.key(scene.acme)
    await alice.delete(f"/api/tenants/acme/api-keys/{gone.key.id}", headers=scene.headers("alice"))
    page = (await alice.get(HERE, params={"meter": "requests", "key": gone.key.id})).text
    assert "The API key was revoked." in page


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"meter": "requests", "cost": "much"}, "cost"),
        ({"meter": "requests", "cost": "1e999"}, "cost"),
        ({"meter": "requests", "key": "key_00000000000000000000000000"}, "key"),
    ],
)
async def test_what_is_wrong_stands_at_its_field(alice: httpx2.AsyncClient, query: dict[str, str], field: str) -> None:
    answer = await alice.get(HERE, params=query)
    assert answer.status_code == 400, answer.text
    assert f'id="e-{field}"' in answer.text


async def test_operators_see_who_is_near_a_limit_and_owners_do_not(web: str, scene: Scene) -> None:
    await put_policy(scene.acme, rates=(), quotas=(quota(10, thresholds=(80,)),))
    await check(scene.acme.parts, scene.acme.tenant, Question(meter="requests", cost=9))
    async with browser(web, scene.tokens["olivia"]) as olivia:
        await until(lambda: _lists(olivia))
        page = (await olivia.get("/console/near")).text
        assert 'max="100" value="90.0"' in page
        [near] = (await olivia.get("/api/usage/near", headers=scene.headers("olivia"))).json()
        assert (near["slug"], near["percent"], near["used"], near["limit"]) == ("acme", 90.0, 9, 10)
    async with browser(web, scene.tokens["alice"]) as alice:
        assert (await alice.get("/console/near")).status_code == 403
        assert (await alice.get("/api/usage/near", headers=scene.headers("alice"))).status_code == 403


async def test_what_is_held_is_shown_page_by_page_and_released_by_hand(alice: httpx2.AsyncClient, scene: Scene) -> None:
    await put_policy(scene.acme, rates=(), quotas=(quota(100),))
    empty = (await alice.get(HERE)).text
    assert "No reservation holds anything" in empty
    assert "/api/reservations" in empty
    held = await reserve(scene.acme.parts, scene.acme.tenant, Question(meter="requests", cost=40))
    page = (await alice.get(HERE)).text
    [action] = re.findall(r'action="(/console/t/acme/reservations/[^"]+/release)"', page)
    assert held.id in action
    assert (await alice.post(action)).headers["location"] == HERE
    assert "No reservation holds anything" in (await alice.get(HERE)).text
    assert (await alice.post(action)).status_code == 303  # safe to repeat
    committed = await reserve(scene.acme.parts, scene.acme.tenant, Question(meter="requests"))
    await commit(scene.acme.parts, scene.acme.tenant, committed.id, 1)
    late = await alice.post(action.replace(held.id, committed.id))
    assert (late.status_code, 'id="limits"' in late.text) == (409, True)


async def test_only_operators_set_the_billing_period_and_all_see_it(web: str, scene: Scene) -> None:
    form = {"anchor": "2024-01-31"}
    async with browser(web, scene.tokens["olivia"]) as olivia:
        assert (await olivia.post("/console/t/acme/billing-anchor", data=form)).status_code == 303
        assert 'value="2024-01-31"' in (await olivia.get("/console/t/acme/plan")).text
        wrong = await olivia.post("/console/t/acme/billing-anchor", data={"anchor": "31"})
        assert (wrong.status_code, 'id="e-anchor"' in wrong.text) == (400, True)
    async with browser(web, scene.tokens["alice"]) as alice:
        page = (await alice.get("/console/t/acme/plan")).text
        assert "on day 31, in the time zone America/Sao_Paulo." in page
        assert 'data-action="tenants.set_billing_anchor"' not in page
        assert (await alice.post("/console/t/acme/billing-anchor", data=form)).status_code == 403


async def test_a_quota_without_an_end_is_near_its_limit_until_never(web: str, scene: Scene) -> None:
    await put_policy(scene.acme, rates=(), quotas=(quota(10, period="lifetime", thresholds=(80,)),))
    await check(scene.acme.parts, scene.acme.tenant, Question(meter="requests", cost=9))
    async with browser(web, scene.tokens["olivia"]) as olivia:
        await until(lambda: _lists(olivia))
        assert '<td class="nowrap">Never</td>' in (await olivia.get("/console/near")).text


async def _lists(olivia: httpx2.AsyncClient) -> bool:
    """Whether the worker has handled the event."""
    return HERE in (await olivia.get("/console/near")).text
