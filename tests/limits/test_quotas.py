"""Any number of quotas: by day, month, billing period and lifetime, hard and soft, exact at once, with thresholds."""

import asyncio
from datetime import UTC, datetime

import msgspec
import pytest

from tests import whole_database
from tests.customers import DAY, NOON, asked, at, customer, key, put_policy, quota
from veloflux import metering
from veloflux.context import Context
from veloflux.db import keys, streams
from veloflux.errors import FeatureMissing, InputInvalid
from veloflux.limits import Question, check
from veloflux.metering import Event
from veloflux.plans.policy import QuotaLimit

PERIODS = ("day", "month", "billing", "lifetime")


async def used(ctx: Context, cost: int, quotas: tuple[QuotaLimit, ...], **more: object) -> list[bool]:
    await put_policy(ctx, quotas=quotas, rates=(), **more)
    return [(await check(ctx.parts, ctx.tenant, Question(meter="requests", cost=cost))).allowed]


@pytest.mark.parametrize("period", PERIODS)
async def test_a_quota_of_each_period_is_exact_at_once_though_it_came_after_the_usage(
    ctx: Context, period: str
) -> None:
    acme = await customer(ctx)
    assert await used(acme, 7, ()) == [True]
    await metering.record(acme.parts, acme.tenant, [Event("http.request", "e", NOON, data={"bytes": 1})])
    quotas = (quota(10, period=period),)
    assert await used(acme, 3, quotas) == [False]
    assert await used(acme, 2, quotas) == [True]
    refused = await check(acme.parts, acme.tenant, Question(meter="requests"))
    named = "quota:requests" if period == "month" else f"quota:requests:{period}"
    assert (refused.refused_by, refused.used, refused.remaining) == (named, 10, 0)


@pytest.mark.parametrize(
    ("period", "anchor", "ends"),
    [
        ("day", "", datetime(2025, 5, 18, 3, tzinfo=UTC)),
        ("month", "", datetime(2025, 6, 1, 3, tzinfo=UTC)),
        ("billing", "2024-12-31", datetime(2025, 5, 31, 3, tzinfo=UTC)),
        ("billing", "2025-01-20", datetime(2025, 5, 20, 3, tzinfo=UTC)),
    ],
)
async def test_a_period_begins_anew_at_its_end(ctx: Context, period: str, anchor: str, ends: datetime) -> None:
    acme = await customer(ctx)
    terms = {"quotas": (quota(5, period=period),), "rates": (), "billing_anchor": anchor}
    await put_policy(acme, **terms)
    question, end = Question(meter="requests", cost=5), int(ends.timestamp() * 1000)
    assert (await check(acme.parts, acme.tenant, question)).reset_at == end
    refused = await check(acme.parts, acme.tenant, question)
    assert refused.retry_after == (end - NOON) // 1000
    for moment, allowed in ((end - 1, False), (end, True)):
        acme = await at(acme, moment)
        await put_policy(acme, **terms)
        assert (await check(acme.parts, acme.tenant, question)).allowed is allowed


async def test_a_lifetime_has_no_end(ctx: Context) -> None:
    acme = await customer(ctx)
    quotas = (quota(5, period="lifetime"),)
    assert await used(acme, 5, quotas) == [True]
    acme = await at(acme, NOON + 300 * DAY)
    assert await used(acme, 1, quotas) == [False]
    refused = await check(acme.parts, acme.tenant, Question(meter="requests"))
    assert (refused.reset_at, refused.retry_after) == (None, 86_400)


async def test_a_quota_that_was_away_and_comes_back_has_missed_nothing(ctx: Context) -> None:
    acme = await customer(ctx)
    quotas = (quota(10),)
    for cost, now in ((4, quotas), (3, ()), (4, quotas), (3, quotas)):
        await used(acme, cost, now)
    refused = await check(acme.parts, acme.tenant, Question(meter="requests"))
    assert (refused.refused_by, refused.used) == ("quota:requests", 10)


async def test_the_tightest_of_several_quotas_is_answered_and_each_holds(ctx: Context) -> None:
    acme = await customer(ctx)
    await put_policy(acme, rates=(), quotas=(quota(100), quota(8, period="day"), quota(50, period="lifetime")))
    question = Question(meter="requests", cost=5)
    first = await check(acme.parts, acme.tenant, question)
    assert (first.limit, first.used, first.remaining) == (8, 5, 3)
    second = await check(acme.parts, acme.tenant, question)
    assert (second.refused_by, second.limit, second.used) == ("quota:requests:day", 8, 5)


async def test_a_soft_quota_lets_pass_and_marks_what_is_over(ctx: Context) -> None:
    acme = await customer(ctx)
    await put_policy(acme, rates=(), quotas=(quota(5, hard=False),))
    answers = [await check(acme.parts, acme.tenant, Question(meter="requests", cost=3)) for _ in range(3)]
    assert [(one.allowed, one.overage, one.remaining) for one in answers] == [(True, 0, 2), (True, 1, 0), (True, 4, 0)]


async def told(ctx: Context) -> list[tuple[str, dict[str, object]]]:
    events = await streams.after(ctx.db, ctx.tenant, "", 1000)
    return [(event.actor, event.data) for event in events if event.name == "quota.threshold_reached"]


async def test_each_threshold_is_told_once_a_period_though_a_hundred_ask_at_once(ctx: Context) -> None:
    acme = await customer(ctx)
    new = await key(acme)
    await put_policy(acme, rates=(), quotas=(quota(100, thresholds=(50, 80, 100)),))
    await asyncio.gather(*(check(acme.parts, acme.tenant, asked(new)) for _ in range(120)))
    said = [{"meter": "requests", "period": "m2025-05", "percent": percent} for percent in (50, 80, 100)]
    assert await told(acme) == [(new.key.id, data) for data in said]
    assert await ctx.db.call("ZSCORE", keys.due(acme.tenant), acme.tenant)
    acme = await at(acme, NOON + 30 * DAY)
    await put_policy(acme, rates=(), quotas=(quota(100, thresholds=(50, 80, 100)),))
    await check(acme.parts, acme.tenant, asked(new, cost=85))
    assert [data["percent"] for _, data in await told(acme)] == [50, 80, 100, 50, 80]


async def test_a_dry_run_decides_and_writes_nothing(ctx: Context) -> None:
    acme = await customer(ctx)
    mine = asked(await key(acme))
    await check(acme.parts, acme.tenant, mine)
    before = await whole_database.contents(ctx.db)
    dry = msgspec.structs.replace(mine, dry_run=True, id="never", cost=999)
    decision = await check(acme.parts, acme.tenant, dry)
    assert (decision.allowed, decision.used, decision.refused_by) == (False, 1, "rate:per_second")
    assert (await check(acme.parts, acme.tenant, msgspec.structs.replace(dry, cost=19))).allowed
    assert await whole_database.contents(ctx.db) == before


async def test_features_are_answered_and_what_the_plan_lacks_is_refused(ctx: Context) -> None:
    acme = await customer(ctx)
    await put_policy(acme, features={"sso": True, "seats": 5, "beta": False})
    mine = asked(await key(acme))
    for name, value in (("sso", True), ("seats", 5)):
        with_feature = msgspec.structs.replace(mine, feature=name)
        assert (await check(acme.parts, acme.tenant, with_feature)).feature == value
        alone = await check(acme.parts, acme.tenant, msgspec.structs.replace(with_feature, meter=""))
        assert (alone.allowed, alone.feature, alone.limit, alone.rates) == (True, value, None, ())
    before = await whole_database.contents(ctx.db)
    for name in ("beta", "unknown"):
        for meter in ("requests", ""):
            with pytest.raises(FeatureMissing, match=name):
                await check(acme.parts, acme.tenant, msgspec.structs.replace(mine, meter=meter, feature=name))
    assert await whole_database.contents(ctx.db) == before
    with pytest.raises(InputInvalid, match="meter, a feature"):
        await check(acme.parts, acme.tenant, Question())
