"""A tenant's plan is changed: from the next check on, and what becomes of what it has used already."""

import asyncio

import msgspec
import pytest

from tests.customers import NOON, at, customer
from veloflux import audit, tenants
from veloflux.context import Context
from veloflux.errors import PlanUnknown
from veloflux.limits import Decision, Question, check
from veloflux.limits.change_plan import Exceeded, change_plan
from veloflux.limits.overrides import list_overrides
from veloflux.plans import Override, catalogue, read_policy
from veloflux.plans.catalogue import Quota

JUNE = 1_748_746_800_000  # the first moment in São Paulo


async def use(ctx: Context, cost: int = 1) -> Decision:
    return await check(ctx.parts, ctx.tenant, Question(meter="requests", cost=cost))


async def with_plans(ctx: Context, when_exceeded: str, *quotas: Quota) -> None:
    """`small` has these quotas, and no rates."""
    free, *_ = catalogue().plans
    small = msgspec.structs.replace(free, id="small", rates=(), quotas=quotas, when_exceeded=when_exceeded)
    shipped = catalogue()
    plans = tuple(msgspec.structs.replace(plan, rates=()) for plan in shipped.plans)
    await tenants.apply_catalogue(ctx, msgspec.structs.replace(shipped, plans=(*plans, small)))


async def test_a_plan_holds_from_the_very_next_check_and_the_trail_tells(ctx: Context) -> None:
    acme = await customer(ctx)
    assert (await use(acme)).limit == 1_000
    change = await change_plan(acme, "pro")
    assert (change.former, change.plan, change.exceeded) == ("free", "pro", [])
    assert (await use(acme)).limit == 1_000_000
    assert (await tenants.find(acme, acme.tenant)).plan == "pro"
    [entry] = [one async for one in audit.whole_trail(ctx, acme.tenant) if one.name == "tenant.plan_changed"]
    assert entry.data == {"tenant": acme.tenant, "plan": "pro", "former": "free"}
    with pytest.raises(PlanUnknown):
        await change_plan(acme, "gold")


async def test_a_dry_run_says_what_is_exceeded_and_changes_nothing(one_ctx: Context) -> None:
    await with_plans(one_ctx, "block", Quota(meter="requests", limit=5), Quota(meter="requests", limit=9, period="day"))
    acme = await customer(one_ctx)
    await use(acme, 7)
    change = await change_plan(acme, "small", dry_run=True)
    assert change.exceeded == [Exceeded(meter="requests", period="month", used=7, limit=5)]
    assert (await tenants.find(acme, acme.tenant)).plan == "free"
    assert (await use(acme)).limit == 1_000


async def test_block_refuses_at_once(ctx: Context) -> None:
    await with_plans(ctx, "block", Quota(meter="requests", limit=5))
    acme = await customer(ctx)
    await use(acme, 7)
    await change_plan(acme, "small")
    refused = await use(acme)
    assert (refused.allowed, refused.limit, refused.used) == (False, 5, 7)


async def test_keep_leaves_the_former_limit_until_the_month_ends(ctx: Context) -> None:
    await with_plans(ctx, "keep", Quota(meter="requests", limit=5))
    acme = await customer(ctx)
    await use(acme, 7)
    await change_plan(acme, "small")
    assert (await use(acme)).limit == 1_000
    assert await list_overrides(acme) == [Override(kind="quota", name="requests", value=1_000, until=JUNE)]
    june = await at(acme, JUNE)
    assert (await use(june)).limit == 5
    assert await list_overrides(june) == []


async def test_keep_leaves_no_quota_where_there_was_none_and_what_is_not_exceeded_holds_at_once(ctx: Context) -> None:
    await with_plans(ctx, "keep", Quota(meter="requests", limit=5), Quota(meter="bytes", limit=9))
    acme = await customer(ctx, plan="enterprise")
    await use(acme, 7)
    await change_plan(acme, "small")
    assert (await use(acme)).limit is None
    assert (await check(ctx.parts, acme.tenant, Question(meter="bytes"))).limit == 9


async def test_soft_marks_overage_until_the_period_ends(one_ctx: Context) -> None:
    day, life = Quota(meter="requests", limit=4, period="day"), Quota(meter="requests", limit=3, period="lifetime")
    await with_plans(one_ctx, "soft", Quota(meter="requests", limit=5), day, life)
    acme = await customer(one_ctx)
    await use(acme, 7)
    change = await change_plan(acme, "small")
    assert [(one.period, one.used, one.limit) for one in change.exceeded] == [
        ("month", 7, 5),
        ("day", 7, 4),
        ("lifetime", 7, 3),
    ]
    policy = await read_policy(one_ctx.db, acme.tenant)
    assert policy

    def hard(now: int) -> dict[str, bool]:
        return {quota.period: quota.hard for quota in policy.effective(now).quotas}

    assert hard(NOON) == {"month": False, "day": False, "lifetime": False}
    midnight = NOON + 12 * 3_600_000
    assert (hard(midnight - 1)["day"], hard(midnight)["day"], hard(midnight)["month"]) == (False, True, False)
    assert hard(JUNE) == {"month": True, "day": True, "lifetime": False}


async def test_checks_during_a_change_pass_by_the_one_plan_or_the_other_and_after_it_by_the_new(ctx: Context) -> None:
    await with_plans(ctx, "block", Quota(meter="requests", limit=20))
    acme = await customer(ctx)
    changed = asyncio.create_task(change_plan(acme, "small"))
    decisions = list(await asyncio.gather(*(use(acme) for _ in range(50))))
    await changed
    decisions += await asyncio.gather(*(use(acme) for _ in range(50)))
    assert {one.limit for one in decisions} <= {20, 1_000}
    assert {one.limit for one in decisions[50:]} == {20}
    assert sum(one.allowed for one in decisions) == max(20, sum(one.limit == 1_000 for one in decisions))


async def test_two_changes_at_once_leave_document_and_policy_of_one_plan(ctx: Context) -> None:
    acme = await customer(ctx)
    await asyncio.gather(*(change_plan(acme, plan) for plan in ("pro", "enterprise", "pro")))
    policy = await read_policy(ctx.db, acme.tenant)
    assert policy
    assert policy.plan == (await tenants.find(acme, acme.tenant)).plan != "free"
