"""The page of usage, and the route behind it: every kind of meter, by window and by group."""

import itertools

import httpx2
import pytest

from tests import customers
from tests.metering.planting import plant
from tests.metering.test_usage_aggregations import event, meter
from tests.web.scene import Scene, problem
from tests.web.test_pages import browser
from veloflux.kit import clock, period
from veloflux.plans import Meter

METERS = (
    meter("sum", group_by=("region",), display_name="Storage <b>"),
    meter("percentile", group_by=("region",)),
    meter("weighted_sum"),
    meter("latest"),
    meter("unique"),
)


async def _used(scene: Scene, found: Meter) -> dict[str, str]:
    """Let the meter be used a minute ago; the month and day of it."""
    await customers.put_policy(scene.acme, meters=(found,))
    at = clock.now_ms() - clock.MINUTE_MS
    await plant(scene.acme, found, [event(at, 5, "1", region="eu"), event(at + 1, 3, "2", region="us")])
    assert scene.acme.scope
    day = period.day_of(at, scene.acme.scope.zone).isoformat()
    return {"month": day[:7], "day": day}


@pytest.mark.parametrize("found", METERS, ids=lambda found: found.aggregation)
async def test_the_page_shows_every_kind_of_meter(web: str, scene: Scene, found: Meter) -> None:
    when = await _used(scene, found)
    async with browser(web, scene.tokens["alice"]) as alice:
        for window, group in itertools.product(("hour", "day", "month"), ("", *found.group_by)):
            query = {"meter": "used", "window": window, "group": group, **when}
            page = await alice.get("/console/t/acme/usage", params=query)
            assert page.status_code == 200, page.text
            assert ('id="groups"' in page.text) == bool(group and window != "month")
            assert "<b>" not in page.text
            assert 'id="days"' in page.text


async def test_usage_is_asked_by_group_filter_time_and_zone(http: httpx2.AsyncClient, scene: Scene) -> None:
    await _used(scene, METERS[0])
    query = (
        "meter=used&group_by=region&filter=region%3Deu&filter=region%3Dus&zone=Asia/Kathmandu&from=2020-01-01T08:00Z"
    )
    answer = await http.get(f"/api/tenants/acme/usage?{query}", headers=scene.headers("alice"))
    told = answer.json()
    assert [(row["group"], row["value"]) for row in told["rows"]] == [({"region": "eu"}, 5), ({"region": "us"}, 3)]
    assert (told["zone"], told["total"], told["versions"]) == ("Asia/Kathmandu", 8, [1])
    assert told["kept_from"]
    for bad in ("group_by=country", "filter=eu", "zone=Mars", "version=2", "window=minute&group_by=region"):
        refused = await http.get(f"/api/tenants/acme/usage?meter=used&{bad}", headers=scene.headers("alice"))
        problem(refused, 400, of=bad)
