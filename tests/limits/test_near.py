"""Who is near a limit: kept from the events of thresholds, gone when the period or the tenant is."""

import msgspec
import pytest

from tests.customers import DAY, NOON, at, customer, put_policy, quota
from tests.identity.mails import work
from veloflux import tenants
from veloflux.context import Context
from veloflux.db import keys
from veloflux.events import Recorded
from veloflux.limits import Question, check, forget_near, note_threshold
from veloflux.limits.near import list_near
from veloflux.transaction import Transaction

EVERY = (50, 80, 100)


async def use(ctx: Context, cost: int) -> None:
    assert (await check(ctx.parts, ctx.tenant, Question(meter="requests", cost=cost))).allowed


async def limited(ctx: Context, name: str, *quotas: object) -> Context:
    inside = await customer(ctx, name)
    await put_policy(inside, rates=(), quotas=quotas)
    return inside


async def listed(ctx: Context) -> list[tuple[str, str, float, int]]:
    return [(one.slug, one.period, one.percent, one.reached) for one in await list_near(ctx)]


async def test_tenants_are_listed_by_the_share_that_they_have_used(ctx: Context) -> None:
    acme = await limited(ctx, "Acme", quota(10, thresholds=EVERY), quota(100, period="lifetime", thresholds=EVERY))
    globex = await limited(ctx, "Globex", quota(10, thresholds=EVERY))
    await use(acme, 6)
    await use(globex, 4)
    await work(ctx)
    assert await listed(ctx) == [("acme", "month", 60.0, 50)]
    await use(globex, 5)
    await use(acme, 1)
    await work(ctx)
    assert await listed(ctx) == [("globex", "month", 90.0, 80), ("acme", "month", 70.0, 50)]


async def test_an_entry_leaves_when_its_period_ends(one_ctx: Context) -> None:
    acme = await limited(one_ctx, "Acme", quota(10, period="day", thresholds=EVERY))
    await use(acme, 8)
    await work(one_ctx)
    assert await listed(one_ctx) == [("acme", "day", 80.0, 80)]
    await at(acme, NOON + DAY)
    await put_policy(acme, rates=(), quotas=(quota(10, period="day", thresholds=EVERY),), clock=f"={NOON + DAY}")
    assert await listed(one_ctx) == []
    for member in await one_ctx.db.call("ZRANGE", keys.near_limits_ends(), 0, -1):
        await one_ctx.db.call("ZADD", keys.near_limits_ends(), 1, member)  # what time does
    assert await listed(one_ctx) == []
    assert await one_ctx.db.call("EXISTS", keys.near_limits()) == 0
    assert await one_ctx.db.call("EXISTS", keys.near_limits_ends()) == 0


async def test_a_quota_that_was_raised_shows_its_present_share_and_one_that_is_gone_does_not(
    one_ctx: Context,
) -> None:
    acme = await limited(one_ctx, "Acme", quota(10, thresholds=EVERY))
    await use(acme, 8)
    await work(one_ctx)
    await put_policy(acme, rates=(), quotas=(quota(1_000, thresholds=EVERY),))
    assert await listed(one_ctx) == [("acme", "month", 0.8, 80)]
    await put_policy(acme, rates=(), quotas=())
    assert await listed(one_ctx) == []


@pytest.mark.parametrize("percents", [(50, 80), (80, 50), (80, 80)])
async def test_events_that_come_again_or_late_leave_the_highest(one_ctx: Context, percents: tuple[int, int]) -> None:
    acme = await limited(one_ctx, "Acme", quota(10, thresholds=EVERY))
    await use(acme, 8)
    for percent in percents:
        await note_threshold(one_ctx, told(acme, percent), Transaction(one_ctx, acme.tenant))
    assert await listed(one_ctx) == [("acme", "month", 80.0, 80)]


async def test_a_period_that_is_over_is_not_listed_again(one_ctx: Context) -> None:
    acme = await limited(one_ctx, "Acme", quota(10, thresholds=EVERY))
    await note_threshold(one_ctx, told(acme, 80, "m2025-04"), Transaction(one_ctx, acme.tenant))
    assert await listed(one_ctx) == []
    assert await one_ctx.db.call("EXISTS", keys.near_limits()) == 0


async def test_a_tenant_that_is_deleted_leaves_and_another_stays(ctx: Context) -> None:
    acme = await limited(ctx, "Acme", quota(10, thresholds=EVERY))
    globex = await limited(ctx, "Globex", quota(10, thresholds=EVERY))
    for one in (acme, globex):
        await use(one, 8)
        await note_threshold(ctx, told(one, 80), Transaction(ctx, one.tenant))
    await forget_near(ctx, told(acme, 80), Transaction(ctx, acme.tenant))
    assert await ctx.db.call("ZRANGE", keys.near_limits_ends(), 0, -1) == [f"{globex.tenant}/requests/m2025-05"]
    assert await listed(ctx) == [("globex", "month", 80.0, 80)]
    assert (await tenants.find(ctx, acme.tenant)).slug == "acme"


def told(ctx: Context, percent: int, period: str = "m2025-05") -> Recorded:
    """An event as a handler gets it."""
    data = {"meter": "requests", "period": period, "percent": percent}
    values = {"id": "1-0", "owner": ctx.tenant, "name": "quota.threshold_reached", "data": data, "at": NOON}
    return msgspec.convert({**values, "actor": "x", "request": "", "changes": {}}, Recorded)
