"""Exactly as many pass as may, however many ask at once, from however many processes, whatever the seed."""

import asyncio
import random

import pytest

from tests import crowd
from tests.customers import asked, customer, key, put_policy, quota
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import InputInvalid
from veloflux.limits import Question, check, commit, release, reserve
from veloflux.metering import read_usage
from veloflux.plans import Meter

EUR = Meter(name="spend", event_type="call", aggregation="sum", value_property="eur", unit="EUR", places=2)
GRANT = "100|1|0|0|"


async def with_cap(ctx: Context, name: str) -> Context:
    acme = await customer(ctx, name)
    await put_policy(acme, meters=(EUR,), rates=(), quotas=(quota(500, "spend"),))
    return acme


@pytest.mark.parametrize("seed", range(5))
async def test_of_100_at_once_with_a_cost_of_010_exactly_50_pass_a_cap_of_500(ctx: Context, seed: int) -> None:
    acme = await with_cap(ctx, f"Acme {seed}")
    question = Question(meter="spend", cost=0.1)
    decisions = await asyncio.gather(*(check(acme.parts, acme.tenant, question) for _ in range(100)))
    assert [one.allowed for one in decisions].count(True) == 50
    assert {str(one.used) for one in decisions if not one.allowed} == {"5.00"}


async def test_a_cost_finer_than_the_meter_is_refused(one_ctx: Context) -> None:
    acme = await with_cap(one_ctx, "Acme")
    with pytest.raises(InputInvalid, match="2 decimal places"):
        await check(acme.parts, acme.tenant, Question(meter="spend", cost=0.105))


@pytest.mark.parametrize("by", ["quota", "credit"])
async def test_of_1000_requests_of_8_processes_exactly_one_gets_the_last_unit(ctx: Context, by: str) -> None:
    acme = await customer(ctx)
    new = await key(acme)
    await put_policy(acme, rates=(), quotas=(quota(1 if by == "quota" else 0),))
    if by == "credit":
        await acme.db.call("HSET", keys.credit_state(acme.tenant, "requests"), "grt_1", GRANT)
    mine = asked(new)
    assert mine.key
    running = await crowd.started("tests.limits.asking", ctx.db.url, acme.tenant, 8, 125, *mine.key)
    passed = await crowd.told(running)
    assert sorted(passed) == [[0]] * 7 + [[1]]
    assert (await read_usage(acme, "requests")).total == 1


@pytest.mark.parametrize("seed", range(8))
async def test_checks_and_reservations_in_any_order_never_pass_a_quota_and_leave_nothing_held(
    ctx: Context, seed: int
) -> None:
    acme, dice = await customer(ctx, f"Acme {seed}"), random.Random(seed)
    await put_policy(acme, rates=(), quotas=(quota(60), quota(40, period="day")))
    counted = 0

    async def step(cost: int, way: str) -> None:
        nonlocal counted
        question = Question(meter="requests", cost=cost)
        if way == "check":
            decision = await check(acme.parts, acme.tenant, question)
            counted += cost * decision.allowed
            return
        held = await reserve(acme.parts, acme.tenant, question)
        if not held.decision.allowed:
            return
        spent = dice.randint(0, cost)
        if way == "release":
            await release(acme.parts, acme.tenant, held.id)
        else:
            counted += spent
            await commit(acme.parts, acme.tenant, held.id, spent)

    ways = ("check", "commit", "release")
    await asyncio.gather(*(step(dice.randint(1, 5), dice.choice(ways)) for _ in range(60)))
    last = await check(acme.parts, acme.tenant, Question(meter="requests", dry_run=True))
    assert counted <= 40
    assert (last.used, last.remaining) == (counted, 40 - counted)
    assert await acme.db.call("HGET", keys.limits(acme.tenant), "reserved:requests") == "0"
