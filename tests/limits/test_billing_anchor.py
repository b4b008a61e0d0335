"""Quotas by billing period follow the tenant's own anchor, and what was used stays used when it moves."""

import asyncio
import itertools
from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from tests.customers import DAY, NOON, at, customer, of
from veloflux import audit, metering, tenants
from veloflux.context import Context
from veloflux.errors import InputInvalid
from veloflux.kit.period import day_of
from veloflux.limits import Decision, Question, check
from veloflux.limits.change_plan import Exceeded, change_plan
from veloflux.limits.credits import grant_credit
from veloflux.limits.grant import Terms
from veloflux.limits.overrides import list_overrides
from veloflux.metering import Event
from veloflux.plans import catalogue, read_policy
from veloflux.plans.catalogue import Quota

SAO_PAULO = "America/Sao_Paulo"


async def billed(ctx: Context, limit: int = 100, *, hard: bool = True, when_exceeded: str = "keep") -> None:
    """Every plan has this quota by billing period alone; `small` has 5 of it."""
    quota = Quota(meter="requests", limit=limit, period="billing", hard=hard)
    shipped = catalogue()
    plans = tuple(msgspec.structs.replace(plan, rates=(), quotas=(quota,)) for plan in shipped.plans)
    fewer = (msgspec.structs.replace(quota, limit=5),)
    small = msgspec.structs.replace(plans[0], id="small", quotas=fewer, when_exceeded=when_exceeded)
    await tenants.apply_catalogue(ctx, msgspec.structs.replace(shipped, plans=(*plans, small)))


async def use(ctx: Context, cost: int = 1) -> Decision:
    return await check(ctx.parts, ctx.tenant, Question(meter="requests", cost=cost))


async def used(ctx: Context) -> object:
    return (await check(ctx.parts, ctx.tenant, Question(meter="requests", dry_run=True))).used


def midnight(on: str, zone: str = SAO_PAULO) -> int:
    return round(datetime.fromisoformat(on).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


async def test_at_first_it_is_the_day_of_the_creation_in_the_tenants_zone(one_ctx: Context) -> None:
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):  # never the same day
        made = await tenants.create_tenant(one_ctx, f"In {zone}", zone=zone)
        policy = await read_policy(one_ctx.db, made.id)
        assert policy
        assert made.billing_anchor == policy.billing_anchor == day_of(made.created_at, zone).isoformat()


async def test_it_is_kept_with_the_tenant_and_the_trail_tells_each_change(ctx: Context) -> None:
    acme = await customer(ctx)
    for _ in range(2):
        assert (await tenants.set_billing_anchor(acme, date(2024, 1, 31))).billing_anchor == "2024-01-31"
    await asyncio.gather(tenants.set_billing_anchor(acme, date(2024, 1, 5)), tenants.set_failure_policy(acme, True))
    policy = await read_policy(ctx.db, acme.tenant)
    assert policy
    assert (policy.billing_anchor, policy.fails_open) == ("2024-01-05", True)
    trail = [one async for one in audit.whole_trail(ctx, acme.tenant) if one.name == "tenant.billing_anchor_set"]
    assert [entry.data["anchor"] for entry in trail] == ["2024-01-31", "2024-01-05"]


@pytest.mark.parametrize("anchor", [date(1999, 12, 31), date(2100, 1, 1), date.max])
async def test_a_day_of_another_age_is_refused(one_ctx: Context, anchor: date) -> None:
    with pytest.raises(InputInvalid):
        await tenants.set_billing_anchor(await customer(one_ctx), anchor)


@pytest.mark.parametrize(
    ("zone", "anchor", "starts"),
    [
        (SAO_PAULO, "2024-12-31", ["2025-01-31", "2025-02-28", "2025-03-31", "2025-04-30", "2025-05-31"]),
        (SAO_PAULO, "2023-08-30", ["2024-01-30", "2024-02-29", "2024-03-30"]),
        ("America/New_York", "2025-01-09", ["2025-02-09", "2025-03-09", "2025-04-09"]),  # the clocks change on 9 March
        ("Europe/Paris", "2025-08-26", ["2025-09-26", "2025-10-26", "2025-11-26"]),  # and back on 26 October
    ],
)
async def test_each_period_begins_on_the_day_of_the_anchor_and_the_31st_returns(
    one_ctx: Context, zone: str, anchor: str, starts: list[str]
) -> None:
    await billed(one_ctx, 5)
    acme = of(one_ctx, await tenants.create_tenant(one_ctx, "Acme", mode="sandbox", zone=zone))
    await tenants.set_billing_anchor(acme, date.fromisoformat(anchor))
    for start, following in itertools.pairwise(starts):
        begins, ends = midnight(start, zone), midnight(following, zone)
        acme = await at(acme, begins)
        first = await use(acme, 4)
        assert (first.allowed, first.reset_at) == (True, ends)
        acme = await at(acme, ends - 1)
        assert [(await use(acme, 1)).allowed for _ in range(2)] == [True, False]


async def test_moved_while_a_period_runs_nothing_is_lost_and_nothing_counts_twice(ctx: Context) -> None:
    await billed(ctx)
    acme = await customer(ctx)
    await tenants.set_billing_anchor(acme, date(2025, 1, 5))
    for days, cost in ((-20, 1), (-10, 2), (-3, 4), (0, 8)):  # 27 April, 7, 14 and 17 May
        acme = await at(acme, NOON + days * DAY)
        await use(acme, cost)
    late = [Event("http.request", "late", NOON - 2 * DAY, data={"bytes": 1})]
    await metering.record(acme.parts, acme.tenant, late)
    for day, expected in ((5, 15), (15, 9), (7, 15), (18, 16), (31, 15), (17, 8), (5, 15)):
        await tenants.set_billing_anchor(acme, date(2024, 1, day))
        assert await used(acme) == expected, day
    await use(acme)
    await tenants.set_billing_anchor(acme, date(2024, 1, 18))
    assert await used(acme) == 17


async def test_moved_while_many_ask_exactly_as_many_pass_as_the_quota_has(ctx: Context) -> None:
    await billed(ctx, 20)
    acme = await customer(ctx)
    days = (date(2025, 1, day) for day in (2, 16, 3, 17, 9))
    answers = await asyncio.gather(
        *(use(acme) for _ in range(30)),
        *(tenants.set_billing_anchor(acme, day) for day in days),
        *(use(acme) for _ in range(30)),
    )
    assert sum(one.allowed for one in answers if isinstance(one, Decision)) == 20
    await tenants.set_billing_anchor(acme, date(2025, 1, 4))
    assert await used(acme) == 20


async def test_what_credits_paid_stays_paid_as_far_as_the_new_period_has_it(one_ctx: Context) -> None:
    await billed(one_ctx, 10)
    acme = await customer(one_ctx)
    await tenants.set_billing_anchor(acme, date(2025, 1, 5))
    await grant_credit(acme, Terms(meter="requests", amount=8))
    acme = await at(acme, NOON - 3 * DAY)
    await use(acme, 8)
    acme = await at(acme, NOON)
    assert (await use(acme, 6)).credits == 4
    assert await used(acme) == 10
    for day, expected in ((7, 10), (17, 2), (18, 10), (5, 10)):
        await tenants.set_billing_anchor(acme, date(2025, 1, day))
        assert await used(acme) == expected, day
    last = await use(acme, 4)
    assert (last.allowed, last.credits) == (True, 4)
    assert not (await use(acme)).allowed


async def test_what_credits_paid_while_away_is_paid_when_the_anchor_comes_back(one_ctx: Context) -> None:
    await billed(one_ctx, 10, hard=False)
    acme = await customer(one_ctx)
    await tenants.set_billing_anchor(acme, date(2025, 1, 5))
    acme = await at(acme, NOON - 3 * DAY)
    await grant_credit(acme, Terms(meter="requests", amount=100))
    assert (await use(acme, 18)).credits == 8
    acme = await at(acme, NOON)
    await tenants.set_billing_anchor(acme, date(2025, 1, 17))
    assert (await use(acme, 14)).credits == 4
    await tenants.set_billing_anchor(acme, date(2025, 1, 5))
    assert await used(acme) == 18 - 8 + 14 - 4
    await tenants.set_billing_anchor(acme, date(2025, 1, 17))
    assert await used(acme) == 14 - 4


async def test_a_period_that_ended_by_itself_pays_nothing_of_the_next(one_ctx: Context) -> None:
    await billed(one_ctx, 10)
    acme = await customer(one_ctx)
    await tenants.set_billing_anchor(acme, date(2025, 1, 31))
    acme = await at(acme, midnight("2025-02-28"))
    await grant_credit(acme, Terms(meter="requests", amount=9))
    assert (await use(acme, 15)).credits == 5
    acme = await at(acme, midnight("2025-03-31"))
    await use(acme, 7)
    assert await used(acme) == 7


async def test_what_a_smaller_plan_exceeds_is_told_by_billing_period(ctx: Context) -> None:
    await billed(ctx)
    acme = await customer(ctx)
    await tenants.set_billing_anchor(acme, date(2025, 1, 20))
    acme = await at(acme, NOON - 20 * DAY)  # 27 April, in the same period and not in the same month
    await use(acme, 7)
    acme = await at(acme, NOON)
    change = await change_plan(acme, "small", dry_run=True)
    assert change.exceeded == [Exceeded(meter="requests", period="billing", used=7, limit=5)]
    await change_plan(acme, "small")
    [kept] = await list_overrides(acme)
    assert (kept.period, kept.value, kept.until) == ("billing", 100, midnight("2025-05-20"))
    assert (await use(acme)).limit == 100
    acme = await at(acme, midnight("2025-05-20"))
    assert (await use(acme)).limit == 5


@pytest.mark.parametrize(("when_exceeded", "allowed", "overage"), [("soft", True, 4), ("block", False, 0)])
async def test_what_is_exceeded_follows_the_plan(
    one_ctx: Context, when_exceeded: str, allowed: bool, overage: int
) -> None:
    await billed(one_ctx, when_exceeded=when_exceeded)
    acme = await customer(one_ctx)
    await use(acme, 7)
    assert (await change_plan(acme, "small")).when_exceeded == when_exceeded
    beyond = await use(acme, 2)
    assert (beyond.allowed, beyond.limit, beyond.overage) == (allowed, 5, overage)


async def test_what_credits_paid_does_not_exceed_a_smaller_plan(one_ctx: Context) -> None:
    await billed(one_ctx, 6)
    acme = await customer(one_ctx)
    await grant_credit(acme, Terms(meter="requests", amount=9))
    assert (await use(acme, 9)).credits == 3
    [exceeded] = (await change_plan(acme, "small", dry_run=True)).exceeded
    assert (exceeded.used, exceeded.limit) == (6, 5)
