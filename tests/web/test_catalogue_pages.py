"""The operators' pages of plans, meters and a tenant's plan."""

import doctest
from collections.abc import AsyncIterator

import httpx2
import pytest

from tests import cast, customers
from tests.web.test_pages import browser, token_of
from veloflux import tenants
from veloflux.context import Context
from veloflux.limits.credits import list_grants
from veloflux.plans import pick_meter, pick_plan, read_catalogue
from veloflux.plans.catalogue import Quota, Rate
from veloflux.web.console import plan_lines

PLAN = {"id": "basic", "name": "Basic", "days_accepted": "30", "when_exceeded": "soft", "quotas": "", "rates": ""}
METER = {"name": "gb", "event_type": "stored", "aggregation": "sum", "value_property": "gb", "unit": "GB"}


@pytest.fixture
async def olivia(web: str, one_ctx: Context) -> AsyncIterator[httpx2.AsyncClient]:
    """The operator's browser."""
    await cast.assemble(one_ctx)
    await cast.operator(one_ctx)
    async with browser(web, await token_of(one_ctx, "olivia")) as client:
        yield client


def test_lines_read_back_as_they_are_written() -> None:
    assert doctest.testmod(plan_lines).failed == 0
    quotas = (
        Quota(meter="gb", limit=5, period="lifetime", hard=False, shadow=True, thresholds=(90, 100)),
        Quota(meter="requests", limit=0),
    )
    rates = (
        Rate(name="a", meter="gb", limit="5/min", per="address", algorithm="window", route="/x", shadow=True),
        Rate(name="b", meter="gb", limit="5/h", burst=9),
    )
    assert plan_lines.read_quotas("\n".join(map(plan_lines.quota_line, quotas))) == quotas
    assert plan_lines.read_rates("\n\n".join(map(plan_lines.rate_line, rates))) == rates
    features = {"sso": True, "seats": 5, "support": "by phone"}
    lines = [plan_lines.feature_line(name, value) for name, value in features.items()]
    assert plan_lines.read_features("\n".join(lines)) == features


async def test_a_plan_is_made_changed_and_shown(olivia: httpx2.AsyncClient, one_ctx: Context) -> None:
    form = PLAN | {"quotas": "requests 500 day soft", "rates": "slow requests 2/s burst=4", "features": "sso = true"}
    assert (await olivia.post("/console/plans", data=form)).status_code == 303
    page = (await olivia.get("/console/plans")).text
    for line in ("requests 500 day soft", "slow requests 2/s burst=4", "sso = true"):
        assert line in page
    edited = (await olivia.get("/console/plans?plan=basic")).text
    assert 'value="30"' in edited
    assert (
        await olivia.post("/console/plans", data=form | {"quotas": "requests 600", "known": "1"})
    ).status_code == 303
    basic = pick_plan((await read_catalogue(one_ctx.db)).plans, "basic")
    assert (basic.quotas, basic.when_exceeded) == ((Quota(meter="requests", limit=600),), "soft")


async def test_who_changes_the_limits_of_a_plan_keeps_its_prices(olivia: httpx2.AsyncClient, one_ctx: Context) -> None:
    before = pick_plan((await read_catalogue(one_ctx.db)).plans, "enterprise")
    form = PLAN | {"id": "enterprise", "name": "Enterprise", "quotas": "requests 600", "known": "1"}
    assert (await olivia.post("/console/plans", data=form)).status_code == 303
    found = await read_catalogue(one_ctx.db)
    after = pick_plan(found.plans, "enterprise")
    assert after.quotas == (Quota(meter="requests", limit=600),)
    assert (after.fixed, after.usage, after.version) == (before.fixed, before.usage, 1)
    assert before.usage
    assert found.former_plans == ()


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({"quotas": "requests"}, "quotas"),
        ({"quotas": "requests many"}, "quotas"),
        ({"quotas": "requests 5 week"}, "quotas"),
        ({"quotas": "requests 5 day\nrequests 6 day"}, "quotas"),
        ({"rates": "slow requests 2/week"}, "rates"),
        ({"rates": "slow requests 2/s\nslow requests 3/s"}, "rates"),
        ({"rates": "slow requests 2/s speed=9"}, "rates"),
        ({"features": "sso"}, "features"),
        ({"id": "Basic Plan"}, "id"),
        ({"id": "free"}, "id"),
        ({"days_accepted": "90"}, "days_accepted"),
    ],
)
async def test_what_is_wrong_with_a_plan_stands_at_its_field(
    olivia: httpx2.AsyncClient, one_ctx: Context, fault: dict[str, str], field: str
) -> None:
    answer = await olivia.post("/console/plans", data=PLAN | fault)
    assert answer.status_code == 400
    assert f'id="e-{field}"' in answer.text
    assert (await read_catalogue(one_ctx.db)).version == 0


async def test_a_meter_is_added_and_changed(olivia: httpx2.AsyncClient, one_ctx: Context) -> None:
    assert (await olivia.post("/console/meters", data=METER)).status_code == 303
    wrong = await olivia.post("/console/meters", data=METER | {"name": "tb", "value_property": ""})
    assert wrong.status_code == 400
    assert 'id="e-value_property"' in wrong.text
    finer = await olivia.post("/console/meters/gb", data=METER | {"places": "2", "group_by": "region, model"})
    assert finer.status_code == 303
    meter = pick_meter((await read_catalogue(one_ctx.db)).meters, "gb")
    assert (meter.version, meter.places, meter.group_by) == (2, 2, ("region", "model"))
    assert "stored" in (await olivia.get("/console/meters?meter=gb")).text


async def test_a_tenants_plan_is_previewed_and_changed_and_what_is_beside_it_set_and_removed(
    olivia: httpx2.AsyncClient, one_ctx: Context
) -> None:
    home = "/console/t/acme"
    assert 'data-action="tenants.change_plan"' in (await olivia.get(f"{home}/plan?plan=pro")).text
    assert (await tenants.find(one_ctx, "acme")).plan == "free"
    assert (await olivia.post(f"{home}/plan", data={"plan": "pro"})).status_code == 303
    assert (await tenants.find(one_ctx, "acme")).plan == "pro"
    own = {"kind": "quota", "name": "requests", "value": "7", "period": "day", "soft": "1", "until": "2099-01-01"}
    assert (await olivia.post(f"{home}/overrides", data=own)).status_code == 303
    page = (await olivia.get(f"{home}/plan")).text
    assert "quota:requests:day" in page
    wrong = await olivia.post(f"{home}/overrides", data=own | {"until": "2001-01-01"})
    assert 'id="e-until"' in wrong.text
    assert (await olivia.post(f"{home}/overrides/quota:requests:day/remove")).status_code == 303
    assert "quota:requests:day" not in (await olivia.get(f"{home}/plan")).text


async def test_credits_are_given_shown_with_what_is_left_and_voided(
    olivia: httpx2.AsyncClient, one_ctx: Context, web: str
) -> None:
    home = "/console/t/acme"
    form = {"meter": "requests", "amount": "40", "recurrence": "month", "starts_at": "2026-01-31", "note": "<b>Monday"}
    assert (await olivia.post(f"{home}/credits", data=form)).status_code == 303
    acme = customers.of(one_ctx, await tenants.find(one_ctx, "acme"))
    [grant] = (await list_grants(acme)).items
    page = (await olivia.get(f"{home}/plan")).text
    assert "&lt;b&gt;Monday" in page
    assert 'max="40" value="40"' in page
    assert f"{home}/credits/{grant.id}/void" in page
    async with browser(web, await token_of(one_ctx, "alice")) as owner:
        seen = (await owner.get(f"{home}/plan")).text
        assert "Monday" in seen
        assert "/void" not in seen
        assert (await owner.post(f"{home}/credits/{grant.id}/void")).status_code == 403
    assert (await olivia.post(f"{home}/credits/{grant.id}/void")).status_code == 303
    assert [one.status for one in (await list_grants(acme)).items] == ["void"]


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({"amount": "many"}, "amount"),
        ({"amount": "0"}, "amount"),
        ({"starts_at": "soon"}, "starts_at"),
        ({"expires_at": "2001-01-01"}, "expires_at"),
        ({"rolls_over": "13"}, "rolls_over"),
    ],
)
async def test_what_is_wrong_with_credits_stands_at_its_field(
    olivia: httpx2.AsyncClient, fault: dict[str, str], field: str
) -> None:
    form = {"meter": "requests", "amount": "40", "recurrence": "month"}
    answer = await olivia.post("/console/t/acme/credits", data=form | fault)
    assert answer.status_code == 400
    assert f'id="e-{field}"' in answer.text
