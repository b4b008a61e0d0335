"""The console's page of usage says what it costs, to who may see what is billed; the routes say the same."""

import httpx2
import pytest

from tests.billing.spending import MIDDLE, moved, per_unit, plan, selling, use
from tests.web.scene import Scene, problem
from tests.web.test_pages import browser
from veloflux import tenants
from veloflux.billing.subscriptions.start import Start, start

SOLD = plan(per_unit("calls", "100", "0.01"))
URL = "/api/tenants/box/subscriptions"


async def using(scene: Scene, to: str = MIDDLE) -> str:
    """Box has a subscription, in the middle of its first period; its id."""
    await tenants.apply_catalogue(scene.box, selling(SOLD))
    box = await moved(scene.box, "2026-03-01T00:00:00")
    sub = await start(box, Start(plan="hybrid", currency="USD"))
    await use(box, to, calls=600)
    return sub.id


async def test_the_page_shows_the_cost_so_far_and_the_forecast(web: str, scene: Scene) -> None:
    await using(scene)
    async with browser(web, scene.tokens["alice"]) as alice:
        page = await alice.get("/console/t/box/usage", params={"meter": "calls"})
    assert page.status_code == 200, page.text
    for words in ("$34.99", "$5.00", "Cost so far", "$40.99", "The forecast is linear"):
        assert words in page.text


async def test_who_may_not_see_what_is_billed_is_told_no_cost(web: str, scene: Scene) -> None:
    sub = await using(scene)
    ana = await tenants.create_api_key(scene.box, "viewer", "viewer")
    async with httpx2.AsyncClient(base_url=web, headers={"authorization": f"Bearer {ana.token}"}) as viewer:
        problem(await viewer.get(f"{URL}/{sub}/cost"), 403)


async def test_the_routes_tell_the_cost_and_set_what_may_be_spent(http: httpx2.AsyncClient, scene: Scene) -> None:
    sub = await using(scene, "2026-03-01T01:00:00")
    owner, operator = scene.headers("alice"), scene.headers("olivia")
    told = (await http.get(f"{URL}/{sub}/cost", headers=owner)).json()
    assert (told["method"], told["forecast"]) == ("too_early", None)
    assert told["so_far"] == {"before_tax": 3499, "tax": 0, "after_tax": 3499}
    wanted = {"alerts": [3000], "cap": None, "meter_caps": {"calls": 600}}
    problem(await http.put(f"{URL}/{sub}/spend", json=wanted, headers=owner), 403)
    answer = await http.put(f"{URL}/{sub}/spend", json=wanted, headers=operator)
    assert answer.status_code == 200, answer.text
    assert (await http.get(f"{URL}/{sub}/spend", headers=owner)).json() == answer.json()
    assert (answer.json()["reached"], answer.json()["acting"]) == ([3000], [])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"alerts": [0]}, 400),
        ({"alerts": list(range(1, 12))}, 400),
        ({"cap": -1}, 400),
        ({"cap": 1.5}, 400),
        ({"meter_caps": {"bytes": 1}}, 400),
        ({"limit": 5}, 400),
    ],
)
async def test_what_cannot_be_spent_is_refused(
    http: httpx2.AsyncClient, scene: Scene, body: dict[str, object], status: int
) -> None:
    sub = await using(scene)
    problem(await http.put(f"{URL}/{sub}/spend", json=body, headers=scene.headers("olivia")), status)
