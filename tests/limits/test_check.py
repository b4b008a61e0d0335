"""The decisions of one check, and of many at once."""

import asyncio
from decimal import Decimal

import pytest

from tests import whole_database
from tests.customers import DAY, NOON, asked, at, customer, expire, key, let_a_generation_pass, put_policy, quota, rate
from veloflux import metering, tenants
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import (
    CounterOutOfRange,
    IdReused,
    InputInvalid,
    MeterUnknown,
    NotAuthenticated,
    NotFound,
    PermissionDenied,
)
from veloflux.limits import Decision, Question, QuotaState, RateState, check, read_period
from veloflux.metering.known import known
from veloflux.plans import Meter

JUNE = 1_748_746_800_000  # 2025-06-01 00:00 in São Paulo


async def answers(ctx: Context, questions: list[Question]) -> list[Decision]:
    return list(await asyncio.gather(*(check(ctx.parts, ctx.tenant, one) for one in questions)))


async def used(ctx: Context, meter: str = "requests") -> int:
    usage = await metering.read_usage(ctx, meter)
    assert isinstance(usage.total, int)
    return usage.total


async def test_a_request_passes_and_the_answer_has_the_months_figures(ctx: Context) -> None:
    acme = await customer(ctx)
    decision = await check(acme.parts, acme.tenant, asked(await key(acme)))
    per_second = RateState(name="per_second", limit=20, window=2, remaining=19, reset=1)
    of_may = QuotaState(name="quota:requests", window=31 * DAY // 1000, reset=(JUNE - NOON) // 1000)
    assert decision == Decision(
        allowed=True, limit=1000, used=1, remaining=999, reset_at=JUNE, rates=(per_second,), quota=of_may
    )


async def test_of_100_at_once_exactly_the_burst_of_20_passes(ctx: Context) -> None:
    acme = await customer(ctx)
    mine = asked(await key(acme))
    decisions = await answers(acme, [mine] * 100)
    refused = [one for one in decisions if not one.allowed]
    assert len(refused) == 80
    assert {(one.refused_by, one.retry_after) for one in refused} == {("rate:per_second", 1)}
    assert await used(acme) == 20


async def test_with_5_left_in_the_quota_exactly_5_of_20_pass(ctx: Context) -> None:
    acme = await customer(ctx)
    mine = asked(await key(acme))
    await put_policy(acme, rates=(), quotas=(quota(1000),))
    assert (await check(acme.parts, acme.tenant, asked(await key(acme), cost=995))).remaining == 5
    decisions = await answers(acme, [mine] * 20)
    assert [one.allowed for one in decisions].count(True) == 5
    [refusal] = {(one.refused_by, one.used, one.remaining, one.retry_after) for one in decisions if not one.allowed}
    assert refusal == ("quota:requests", 1000, 0, (JUNE - NOON) // 1000)


async def test_used_of_a_check_is_the_sum_of_the_months_usage(ctx: Context) -> None:
    acme = await customer(ctx)
    mine = await key(acme)
    await metering.record(acme.parts, acme.tenant, [metering.Event("http.request", "e", NOON - DAY, data={"bytes": 7})])
    decision = await check(acme.parts, acme.tenant, asked(mine, cost=3))
    assert decision.used == await used(acme) == (await read_period(acme, "requests")).used == 4


async def test_the_rate_lets_one_more_pass_after_each_emission(ctx: Context) -> None:
    acme = await customer(ctx)
    mine = asked(await key(acme))
    await answers(acme, [mine] * 20)
    acme = await at(acme, NOON + 99)
    assert not (await check(acme.parts, acme.tenant, mine)).allowed
    acme = await at(acme, NOON + 100)
    assert [one.allowed for one in await answers(acme, [mine] * 3)].count(True) == 1


async def test_a_request_that_one_limit_refuses_consumes_nothing_of_the_others(ctx: Context) -> None:
    acme = await customer(ctx)
    mine = asked(await key(acme))
    await put_policy(acme, rates=(rate("wide", burst=10), rate("narrow", count=1, burst=2)))
    decisions = await answers(acme, [mine] * 10)
    assert [one.refused_by for one in decisions].count("rate:narrow") == 8
    await put_policy(acme, rates=(rate("wide", burst=10),))
    assert [one.allowed for one in await answers(acme, [mine] * 10)].count(True) == 8


async def test_the_limit_with_the_longest_wait_is_named(ctx: Context) -> None:
    acme = await customer(ctx)
    mine = asked(await key(acme))
    await put_policy(acme, rates=(rate("second", count=1, burst=1), rate("minute", count=1, burst=1, per_s=60)))
    [_, refused] = await answers(acme, [mine] * 2)
    assert (refused.refused_by, refused.retry_after) == ("rate:minute", 60)


async def test_each_key_and_each_address_has_its_own_limit(ctx: Context) -> None:
    acme = await customer(ctx)
    one, other = await key(acme), await key(acme)
    await put_policy(acme, rates=(rate("key", burst=3, per="key"),))
    for new in (one, other):
        assert [d.allowed for d in await answers(acme, [asked(new)] * 5)].count(True) == 3
    await put_policy(acme, rates=(rate("address", burst=3, per="address"),))
    same_network = ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4"]
    decisions = await answers(acme, [asked(one, address=address) for address in same_network])
    assert [d.allowed for d in decisions].count(True) == 3
    assert (await check(acme.parts, acme.tenant, asked(one, address="203.0.113.9"))).allowed


async def test_an_id_counts_once_and_is_answered_with_the_present_figures(ctx: Context) -> None:
    acme = await customer(ctx)
    mine = await key(acme)
    decisions = await answers(acme, [asked(mine, id_="same")] * 50)
    assert all(one.allowed for one in decisions)
    assert {one.used for one in decisions} == {1}
    assert await used(acme) == 1


async def test_an_id_that_was_refused_is_not_remembered(ctx: Context) -> None:
    acme = await customer(ctx)
    mine = await key(acme)
    await answers(acme, [asked(mine)] * 20)
    assert not (await check(acme.parts, acme.tenant, asked(mine, id_="late"))).allowed
    acme = await at(acme, NOON + 1000)
    assert (await check(acme.parts, acme.tenant, asked(mine, id_="late"))).allowed
    assert await used(acme) == 21


async def test_an_id_that_comes_with_another_cost_is_refused_as_reused(ctx: Context) -> None:
    acme = await customer(ctx)
    mine = await key(acme)
    await check(acme.parts, acme.tenant, asked(mine, id_="x"))
    with pytest.raises(IdReused):
        await check(acme.parts, acme.tenant, asked(mine, id_="x", cost=2))


async def test_a_check_and_an_event_with_one_id_count_once_whichever_comes_first(ctx: Context) -> None:
    acme = await customer(ctx)
    mine = await key(acme)
    events = [metering.Event("http.request", id_, data={"bytes": 1}) for id_ in ("checked first", "recorded first")]
    await check(acme.parts, acme.tenant, asked(mine, id_="checked first"))
    assert await metering.record(acme.parts, acme.tenant, events) == metering.Result(1, 1)
    assert (await check(acme.parts, acme.tenant, asked(mine, id_="recorded first"))).allowed
    assert await used(acme) == 2


async def test_an_id_is_remembered_through_the_next_generation_and_no_longer(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    mine = await key(acme)
    await put_policy(acme, rates=())
    question = asked(mine, id_="x")
    assert (await check(acme.parts, acme.tenant, question)).used == 1
    for expected in (1, 2):
        await let_a_generation_pass(acme)
        assert (await check(acme.parts, acme.tenant, question)).used == expected


async def test_the_day_and_the_month_roll_over_by_the_tenants_clock(ctx: Context) -> None:
    acme = await customer(ctx, clock=f"={JUNE - 1}")
    mine = asked(await key(acme))
    assert (await check(acme.parts, acme.tenant, mine)).reset_at == JUNE
    acme = await at(acme, JUNE)
    decision = await check(acme.parts, acme.tenant, mine)
    assert (decision.used, decision.reset_at) == (1, JUNE + 30 * DAY)
    rows = (await metering.read_usage(acme, "requests")).rows
    assert [(row.start, row.value) for row in rows] == [("2025-05-31", 1), ("2025-06-01", 1)]


async def test_a_process_that_remembers_another_month_than_redis_is_corrected(ctx: Context) -> None:
    acme = await customer(ctx, clock="")
    mine = asked(await key(acme))
    before = await check(acme.parts, acme.tenant, mine)
    known(acme.tenant).learn_now(NOON, "")
    assert (await check(acme.parts, acme.tenant, mine)).reset_at == before.reset_at
    assert await used(acme) == 2


async def test_a_changed_policy_holds_from_the_next_check(ctx: Context) -> None:
    acme = await customer(ctx)
    mine = asked(await key(acme))
    assert (await check(acme.parts, acme.tenant, mine)).limit == 1000
    await put_policy(acme, quotas=(quota(1),))
    decision = await check(acme.parts, acme.tenant, mine)
    assert (decision.allowed, decision.limit, decision.refused_by) == (False, 1, "quota:requests")


async def test_a_clock_that_was_set_back_does_not_hold_the_rate_for_longer_than_its_burst(ctx: Context) -> None:
    acme = await customer(ctx)
    mine = asked(await key(acme))
    await answers(acme, [mine] * 20)
    acme = await at(acme, NOON - DAY)
    refused = await check(acme.parts, acme.tenant, mine)
    assert (refused.allowed, refused.retry_after) == (False, 1)
    acme = await at(acme, NOON - DAY + 2000)
    assert [one.allowed for one in await answers(acme, [mine] * 30)].count(True) == 20


async def test_a_meter_without_a_quota_counts_without_a_limit(ctx: Context) -> None:
    acme = await customer(ctx)
    decision = await check(acme.parts, acme.tenant, asked(await key(acme), meter="bytes", cost=1_000_000_000))
    assert (decision.allowed, decision.limit, decision.remaining, decision.used) == (True, None, None, 10**9)


async def test_a_meter_with_places_is_answered_in_its_units(ctx: Context) -> None:
    acme = await customer(ctx)
    meter = Meter(name="hours", event_type="job", aggregation="count", unit="h", places=2)
    await put_policy(acme, meters=(meter,), rates=(), quotas=(quota(1050, "hours"),))
    decision = await check(acme.parts, acme.tenant, asked(await key(acme), meter="hours", cost=3))
    assert (decision.limit, decision.used, decision.remaining) == (Decimal("10.50"), Decimal("3.00"), Decimal("7.50"))


async def test_a_revoked_key_is_refused(ctx: Context) -> None:
    acme = await customer(ctx)
    new = await key(acme)
    await check(acme.parts, acme.tenant, asked(new))
    await tenants.revoke_api_key(acme, new.key.id)
    with pytest.raises(NotAuthenticated):
        await check(acme.parts, acme.tenant, asked(new))


async def test_a_key_expires_by_the_real_clock_even_where_the_tenants_stands_still(ctx: Context) -> None:
    acme = await customer(ctx)
    new = await key(acme)
    await check(acme.parts, acme.tenant, asked(new))
    await expire(acme, new)
    with pytest.raises(NotAuthenticated):
        await check(acme.parts, acme.tenant, asked(new))


async def test_a_key_for_some_addresses_is_refused_from_others_whatever_is_remembered(ctx: Context) -> None:
    acme = await customer(ctx)
    new = await key(acme, addresses=("203.0.113.0/24", "2001:db8::/32"))
    for address in ("203.0.113.9", "2001:db8::1", "::ffff:203.0.113.9", "203.0.113.10"):
        await check(acme.parts, acme.tenant, asked(new, address=address))
    before = await whole_database.contents(ctx.db)
    for address in ("203.0.114.9", "2001:db9::1", "", "nonsense"):
        with pytest.raises(NotAuthenticated):
            await check(acme.parts, acme.tenant, asked(new, address=address))
    assert await whole_database.contents(ctx.db) == before
    await acme.db.call("HSET", keys.api_key(acme.tenant, new.key.id), "addresses", '["198.51.100.7/32"]')
    with pytest.raises(NotAuthenticated):
        await check(acme.parts, acme.tenant, asked(new, address="203.0.113.9"))
    await check(acme.parts, acme.tenant, asked(new, address="198.51.100.7"))


async def test_a_key_checks_only_if_its_own_permissions_include_it(ctx: Context) -> None:
    acme = await customer(ctx)
    await check(acme.parts, acme.tenant, asked(await key(acme, permissions=("usage:write",))))
    with pytest.raises(PermissionDenied):
        await check(acme.parts, acme.tenant, asked(await key(acme, "owner", permissions=("usage:read",))))


async def test_a_check_notes_that_its_key_is_used_once_a_minute(ctx: Context) -> None:
    acme = await customer(ctx)
    new = await key(acme)
    path = keys.api_key(acme.tenant, new.key.id)
    await check(acme.parts, acme.tenant, asked(new))
    noted = int(await acme.db.call("HGET", path, "used_at"))
    assert noted >= new.key.created_at
    for used_at, moves in ((noted - 1, False), (noted - 60_000, True)):
        await acme.db.call("HSET", path, "used_at", used_at)
        await check(acme.parts, acme.tenant, asked(new))
        assert (int(await acme.db.call("HGET", path, "used_at")) != used_at) == moves


async def test_another_tenants_key_and_a_key_that_never_was_change_nothing(ctx: Context) -> None:
    acme, globex = await customer(ctx), await customer(ctx, "Globex")
    foreign = await key(globex)
    before = await whole_database.contents(ctx.db)
    for question in (asked(foreign), Question(meter="requests", key=("key_0", "0" * 64), id="x")):
        with pytest.raises(NotAuthenticated):
            await check(acme.parts, acme.tenant, question)
    assert await whole_database.contents(ctx.db) == before


async def test_a_key_with_another_secret_is_refused(ctx: Context) -> None:
    acme = await customer(ctx)
    new = await key(acme)
    with pytest.raises(NotAuthenticated):
        await check(acme.parts, acme.tenant, Question(meter="requests", key=(new.key.id, "0" * 64)))


async def test_a_viewers_key_may_not_check(ctx: Context) -> None:
    acme = await customer(ctx)
    with pytest.raises(PermissionDenied):
        await check(acme.parts, acme.tenant, asked(await key(acme, "viewer")))


async def test_a_tenant_that_does_not_exist_is_not_found(ctx: Context) -> None:
    with pytest.raises(NotFound):
        await check(ctx.parts, "ten_none", Question(meter="requests"))


@pytest.mark.parametrize(
    "question", [{"cost": 0}, {"cost": -1}, {"cost": 10**9 + 1}, {"id": "x" * 201}, {"source": ""}]
)
async def test_absurd_questions_are_refused_before_redis_is_asked(
    one_ctx: Context, question: dict[str, object]
) -> None:
    with pytest.raises(InputInvalid):
        await check(one_ctx.parts, "ten_1", Question(meter="requests", **question))  # type: ignore[arg-type]


async def test_a_meter_that_is_not_in_the_catalogue_is_refused(ctx: Context) -> None:
    acme = await customer(ctx)
    with pytest.raises(MeterUnknown, match="requests, bytes"):
        await check(acme.parts, acme.tenant, asked(await key(acme), meter="requets"))


async def test_more_than_the_burst_at_once_never_passes(ctx: Context) -> None:
    acme = await customer(ctx)
    decision = await check(acme.parts, acme.tenant, asked(await key(acme), cost=21))
    assert (decision.allowed, decision.refused_by, decision.used) == (False, "rate:per_second", 0)


async def test_a_months_total_does_not_leave_its_range(ctx: Context) -> None:
    acme = await customer(ctx)
    await ctx.db.call("HSET", keys.total(acme.tenant, "bytes", "2025-05"), "sum", 10**18 - 1)
    with pytest.raises(CounterOutOfRange):
        await check(acme.parts, acme.tenant, asked(await key(acme), meter="bytes"))
    assert await used(acme, "bytes") == 0
