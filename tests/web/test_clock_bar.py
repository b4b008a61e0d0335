"""The bar of a sandbox tenant's clock: it moves the clock, and says what that brought about."""

import doctest
from collections.abc import AsyncIterator

import httpx2
import pytest

from tests import cast
from tests.customers import NOON, customer
from tests.web.test_pages import browser, token_of
from veloflux import tenants
from veloflux.billing import store
from veloflux.billing.subscriptions.start import Start, start
from veloflux.context import Context
from veloflux.kit.clock import DAY_MS
from veloflux.web.console import clock_bar

HOME = "/console/t/acme"
JUNE_17 = 1_750_172_400_000  # 12:00 in São Paulo, a month after NOON


@pytest.fixture
async def acme(one_ctx: Context) -> Context:
    """Acme, whose clock stands still at the noon of 17 May 2025, with a subscription that began then."""
    inside = await customer(one_ctx)
    await start(inside, Start(plan="pro"))
    return inside


@pytest.fixture
async def olivia(web: str, one_ctx: Context, acme: Context) -> AsyncIterator[httpx2.AsyncClient]:
    """The operator's browser."""
    await cast.operator(one_ctx)
    async with browser(web, await token_of(one_ctx, "olivia")) as client:
        yield client


async def shown(ctx: Context) -> str:
    return (await tenants.find(ctx, ctx.tenant)).clock


def test_the_worked_example_of_a_step_holds() -> None:
    outcome = doctest.testmod(clock_bar)
    assert (outcome.attempted > 0, outcome.failed) == (True, 0)


@pytest.mark.parametrize(
    ("by", "at"), [("day", NOON + DAY_MS), ("week", NOON + 7 * DAY_MS), ("month", JUNE_17), ("next", None)]
)
async def test_the_clock_is_moved_by_a_step(olivia: httpx2.AsyncClient, acme: Context, by: str, at: int | None) -> None:
    due = await store.first_due(acme.db, acme.tenant)
    assert due
    answer = await olivia.post(f"{HOME}/clock", data={"by": by, "back": f"{HOME}/members"})
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith(f"{HOME}/members?moved=")
    assert await shown(acme) == f"={at or due[1]}"


async def test_the_page_after_a_move_says_what_happened(olivia: httpx2.AsyncClient, acme: Context) -> None:
    assert "Next, on" in (await olivia.get(f"{HOME}/members")).text
    moved = await olivia.post(f"{HOME}/clock", data={"date": "2025-08-20", "by": "date", "back": f"{HOME}/invoices"})
    page = (await olivia.get(moved.headers["location"])).text
    assert "3 periods closed, 3 invoices issued" in page
    quiet = await olivia.post(f"{HOME}/clock", data={"by": "day"})
    assert "Nothing was due on the way" in (await olivia.get(quiet.headers["location"])).text


async def test_a_clock_that_runs_goes_on_running_and_real_time_returns(
    olivia: httpx2.AsyncClient, acme: Context
) -> None:
    assert (await olivia.post(f"{HOME}/clock", data={"by": "real"})).status_code == 303
    assert await shown(acme) == ""
    assert (await olivia.post(f"{HOME}/clock", data={"by": "day"})).status_code == 303
    assert (await shown(acme)).startswith("+")
    assert (await olivia.post(f"{HOME}/clock", data={"by": "week", "stop": "1"})).status_code == 303
    assert (await shown(acme)).startswith("=")


@pytest.mark.parametrize("day", ["soon", "", "2025-05-17", "2020-01-01"])
async def test_a_day_that_is_not_ahead_is_refused_at_its_field(
    olivia: httpx2.AsyncClient, acme: Context, day: str
) -> None:
    answer = await olivia.post(f"{HOME}/clock", data={"by": "date", "date": day})
    assert answer.status_code == 400
    assert 'id="e-date"' in answer.text
    assert await shown(acme) == f"={NOON}"


async def test_the_bar_leads_back_only_to_pages_of_ours_and_believes_no_place(olivia: httpx2.AsyncClient) -> None:
    answer = await olivia.post(f"{HOME}/clock", data={"by": "day", "back": "https://evil.example/"})
    assert answer.headers["location"].startswith("/console?moved=")
    assert (await olivia.get(f"{HOME}/members?moved=nonsense")).status_code == 200


async def test_who_may_not_move_it_sees_the_time_alone(web: str, one_ctx: Context, acme: Context) -> None:
    await cast.join(acme, await cast.person(one_ctx, "bob"), "viewer")
    async with browser(web, await token_of(one_ctx, "bob")) as viewer:
        page = (await viewer.get(f"{HOME}/usage")).text
        assert "Sandbox clock" in page
        assert "tenants.set_clock" not in page
        assert (await viewer.post(f"{HOME}/clock", data={"by": "day"})).status_code == 403
