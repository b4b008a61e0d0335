"""Why would this request be refused? The words agree with what the check decides, and nothing is counted."""

import pytest

from tests import customers, whole_database
from tests.customers import asked, customer, put_policy, quota, rate
from veloflux import tenants
from veloflux.context import Context
from veloflux.errors import MeterUnknown, NotFound
from veloflux.limits import Question, check
from veloflux.limits.explain import explain, read_limits
from veloflux.limits.overrides import set_override
from veloflux.plans import Override
from veloflux.plans.catalogue import Rate

REQUEST = Question(meter="requests")


async def test_each_limit_is_told_with_what_is_left_and_nothing_is_counted(ctx: Context) -> None:
    acme = await customer(ctx)
    await check(acme.parts, acme.tenant, Question(meter="requests", cost=3))
    before = await whole_database.contents(acme.db)
    told = await explain(acme, REQUEST)
    assert await whole_database.contents(acme.db) == before
    assert (told.allowed, told.refused_by, told.help, told.wait_s) == (True, (), (), None)
    month, second = told.limits
    assert (month.name, month.limit, month.used, month.left, month.source) == ("quota:requests", 1000, 3, 997, "plan")
    assert (second.name, second.limit, second.left, second.per) == ("rate:per_second", 20, 17, "tenant")


async def test_every_limit_that_refuses_is_named_and_the_check_refuses_too(ctx: Context) -> None:
    acme = await customer(ctx)
    soft = quota(3, period="lifetime", hard=False)
    await put_policy(acme, rates=(rate(burst=4),), quotas=(quota(5), quota(9, period="day"), soft))
    question = Question(meter="requests", cost=4)
    assert (await check(acme.parts, acme.tenant, question)).allowed
    told = await explain(acme, question)
    assert set(told.refused_by) == {"quota:requests", "rate:r"}
    decision = await check(acme.parts, acme.tenant, question)
    assert decision.refused_by in told.refused_by
    assert told.wait_s
    assert {"wait", "raise_rate"} <= set(told.help)


async def test_more_than_a_limit_ever_holds_is_not_helped_by_waiting(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    told = await explain(acme, Question(meter="requests", cost=21))
    assert (told.refused_by, told.wait_s) == (("rate:per_second",), None)
    assert told.help == ("smaller_cost", "raise_rate")


async def test_a_lifetime_that_is_used_up_asks_for_a_larger_quota_or_credits(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    await put_policy(acme, rates=(), quotas=(quota(5, period="lifetime"),))
    await check(acme.parts, acme.tenant, Question(meter="requests", cost=5))
    told = await explain(acme, REQUEST)
    assert (told.refused_by, told.wait_s, told.help) == (("quota:requests:lifetime",), None, ("credits", "raise_quota"))
    assert told.reason == "quota:requests:lifetime has 0 left of 5"


async def test_a_limit_in_the_shadow_refuses_nothing_and_says_how_often_it_would_have(ctx: Context) -> None:
    acme = await customer(ctx)
    await put_policy(acme, rates=(), quotas=(quota(1, shadow=True),))
    for _ in range(3):
        await check(acme.parts, acme.tenant, REQUEST)
    told = await explain(acme, REQUEST)
    [shadow] = told.limits
    assert told.allowed
    assert (shadow.refuses, shadow.would_refuse, shadow.watched) == (False, True, 2)


async def test_an_override_is_told_from_the_plan(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    await set_override(acme, Override(kind="quota", name="requests", value=7))
    sources = {limit.name: (limit.source, limit.limit) for limit in (await explain(acme, REQUEST)).limits}
    assert sources == {"quota:requests": ("override", 7), "rate:per_second": ("plan", 20)}


async def test_a_keys_own_limit_is_told_where_it_is_named(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    new = await customers.key(acme, rates=(Rate(name="slow", meter="requests", limit="1/min", per="key"),))
    assert (await check(acme.parts, acme.tenant, asked(new))).allowed
    told = await explain(acme, REQUEST, new.key.id)
    assert (told.refused_by, told.help) == (("rate:slow",), ("wait", "other_key", "raise_rate"))
    assert next(one.source for one in told.limits if one.name == "rate:slow") == "key"
    assert (await explain(acme, REQUEST)).allowed


async def test_what_is_wrong_with_a_key_is_said_beside_the_limits(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    revoked, viewer, expired = await customers.key(acme), await customers.key(acme, "viewer"), await customers.key(acme)
    distant = await customers.key(acme, addresses=("203.0.113.0/24",))
    await tenants.revoke_api_key(acme, revoked.key.id)
    await customers.expire(acme, expired)
    faults = {"revoked": revoked, "role": viewer, "expired": expired, "address": distant}
    for fault, new in faults.items():
        told = await explain(acme, Question(meter="requests", address="198.51.100.1"), new.key.id)
        assert (told.allowed, told.refused_by, told.key_fault) == (False, ("key",), fault)
        assert len(told.limits) == 2
    with pytest.raises(NotFound):
        await explain(acme, REQUEST, "key_00000000000000000000000000")


async def test_a_feature_that_the_plan_lacks_is_the_reason(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    await put_policy(acme, features={"seats": 5, "sso": False})
    told = await explain(acme, Question(feature="sso"))
    assert (told.refused_by, told.help, told.wait_s) == (("feature:sso",), ("include_feature",), None)
    assert (await explain(acme, Question(feature="seats"))).feature == 5


async def test_credits_that_are_left_are_told_and_let_pass(ctx: Context) -> None:
    acme = await customer(ctx)
    await put_policy(acme, rates=(), quotas=(quota(1),))
    await check(acme.parts, acme.tenant, REQUEST)
    assert not (await explain(acme, REQUEST)).allowed
    grants = {"a": "5|5|0|0|", "over": "9|9|0|0|1"}
    await acme.db.call("HSET", f"vf:tenant:{{{acme.tenant}}}:credits:requests", *sum(grants.items(), ()))
    told = await explain(acme, Question(meter="requests", cost=5))
    assert (told.allowed, told.credits) == (True, 5)
    assert not (await explain(acme, Question(meter="requests", cost=6))).allowed


async def test_all_limits_are_listed_by_meter_and_an_unknown_meter_is_refused(ctx: Context) -> None:
    acme = await customer(ctx)
    listed = await read_limits(acme)
    assert [(one.meter, [limit.name for limit in one.limits]) for one in listed] == [
        ("requests", ["quota:requests", "rate:per_second"])
    ]
    assert not any(limit.refuses for one in listed for limit in one.limits)
    with pytest.raises(MeterUnknown):
        await explain(acme, Question(meter="nothing"))
