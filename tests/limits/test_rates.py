"""Any number of rate limits: of tenants, keys, addresses and routes, by three algorithms, all or nothing."""

import msgspec
import pytest

from tests.customers import NOON, asked, at, customer, key, put_policy, quota
from veloflux import tenants
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import InputInvalid
from veloflux.limits import Decision, Question, check
from veloflux.plans import Meter, catalogue
from veloflux.plans.catalogue import Rate
from veloflux.plans.policy import RateLimit, rate_limit

SECOND = 1_000


def limit(name: str, text: str, **terms: object) -> RateLimit:
    return rate_limit(msgspec.convert({"name": name, "meter": "requests", "limit": text, **terms}, Rate))


async def passing(ctx: Context, question: Question, times: int) -> int:
    return [(await check(ctx.parts, ctx.tenant, question)).allowed for _ in range(times)].count(True)


async def moved(ctx: Context, ms: int, rates: tuple[RateLimit, ...]) -> Context:
    """The same tenant and limits at another time of its clock."""
    ctx = await at(ctx, NOON + ms)
    await put_policy(ctx, rates=rates)
    return ctx


def states(decision: Decision) -> dict[str, tuple[int, int]]:
    return {state.name: (state.remaining, state.reset) for state in decision.rates}


@pytest.mark.parametrize("algorithm", ["gcra", "window", "log"])
@pytest.mark.parametrize("per", ["tenant", "key", "address"])
async def test_each_algorithm_lets_as_many_pass_as_it_says_wherever_its_state_is(
    ctx: Context, algorithm: str, per: str
) -> None:
    acme = await customer(ctx)
    rates = (limit("r", "7/min", algorithm=algorithm, per=per),)
    await put_policy(acme, rates=rates)
    first, second = [await key(acme) for _ in range(2)]
    assert await passing(acme, asked(first, address="203.0.113.1"), 10) == 7
    others = {"tenant": 0, "key": 7, "address": 7}
    assert await passing(acme, asked(second, address="203.0.113.2"), 10) == others[per]
    acme = await moved(acme, 121 * SECOND, rates)
    assert await passing(acme, asked(first, address="203.0.113.1"), 10) == 7


async def test_what_one_limit_refuses_takes_nothing_from_the_others(ctx: Context) -> None:
    acme = await customer(ctx)
    mine = asked(await key(acme), address="203.0.113.1")
    rates = (
        limit("wide", "100/min"),
        limit("of_window", "100/min", algorithm="window", per="key"),
        limit("of_log", "100/min", algorithm="log", per="address"),
        limit("narrow", "3/min", algorithm="log", per="address"),
    )
    await put_policy(acme, rates=rates)
    assert await passing(acme, mine, 10) == 3
    refused = await check(acme.parts, acme.tenant, mine)
    assert (refused.refused_by, refused.retry_after) == ("rate:narrow", 61)
    assert states(refused) == {"wide": (97, 2), "of_window": (97, 60), "of_log": (97, 60), "narrow": (0, 60)}
    assert (await check(acme.parts, acme.tenant, mine)).used == 3


async def test_several_limits_of_one_address_are_kept_in_one_hash_that_ends_by_itself(ctx: Context) -> None:
    acme = await customer(ctx)
    await put_policy(acme, rates=(limit("a", "5/min", per="address"), limit("b", "9/h", per="address")))
    assert await passing(acme, asked(await key(acme), address="203.0.113.1"), 10) == 5
    [name] = await ctx.db.scan("vf:tenant:*:address:*")
    assert sorted((await ctx.db.call("HGETALL", name))[::2]) == ["rate:a", "rate:b"]
    assert 0 < await ctx.db.call("PTTL", name) <= 86_400_000


async def test_a_limit_of_a_route_counts_only_questions_that_name_it(ctx: Context) -> None:
    acme = await customer(ctx)
    await put_policy(acme, rates=(limit("export", "2/min", route="POST /export"),))
    mine = asked(await key(acme))
    named = msgspec.structs.replace(mine, route="POST /export")
    assert await passing(acme, named, 5) == 2
    assert await passing(acme, msgspec.structs.replace(mine, route="GET /"), 5) == 5
    assert (await check(acme.parts, acme.tenant, mine)).rates == ()


async def test_a_limit_in_the_shadow_refuses_nothing_is_named_and_counted(ctx: Context) -> None:
    acme = await customer(ctx)
    await put_policy(
        acme, rates=(limit("new", "2/min", shadow=True),), quotas=(quota(4, shadow=True), quota(9, period="day"))
    )
    mine = asked(await key(acme))
    decisions = [await check(acme.parts, acme.tenant, mine) for _ in range(6)]
    assert [one.allowed for one in decisions] == [True] * 6
    new, month = "rate:new", "quota:requests"
    assert [set(one.watching) for one in decisions] == [set(), set(), {new}, {new}, {new, month}, {new, month}]
    counted = await ctx.db.call("HMGET", keys.limits(acme.tenant), "watched:rate:new", "watched:quota:requests")
    assert counted == ["4", "2"]
    assert (decisions[-1].limit, decisions[-1].used) == (9, 6)


async def test_a_keys_own_limits_hold_for_it_alone_from_whatever_process(ctx: Context) -> None:
    acme = await customer(ctx)
    await put_policy(acme, rates=())
    own = Rate(name="mine", meter="requests", limit="3/min")
    slow, other = await key(acme, rates=(own,)), await key(acme)
    assert slow.key.rates == (msgspec.structs.replace(own, per="key"),)
    assert await passing(acme, asked(slow), 5) == 3
    assert await passing(acme, asked(other), 5) == 5
    text = msgspec.json.encode([{"name": "mine", "meter": "requests", "limit": "4/min", "per": "key"}]).decode()
    await ctx.db.call("HSET", keys.api_key(acme.tenant, slow.key.id), "rates", text)
    acme = await at(acme, NOON + 60 * SECOND)
    await put_policy(acme, rates=())
    assert await passing(acme, asked(slow), 6) == 4


async def test_odd_limits_of_a_key_are_refused(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    good = Rate(name="mine", meter="requests", limit="3/min")
    for rates in ((good, good), (msgspec.structs.replace(good, meter="nothing"),)):
        with pytest.raises(InputInvalid):
            await key(acme, rates=rates)


@pytest.mark.parametrize("algorithm", ["gcra", "window", "log"])
async def test_a_clock_that_was_set_back_holds_no_limit_for_longer_than_itself(ctx: Context, algorithm: str) -> None:
    acme = await customer(ctx)
    rates = (limit("r", "5/min", algorithm=algorithm),)
    await put_policy(acme, rates=rates)
    mine = asked(await key(acme))
    assert await passing(acme, mine, 6) == 5
    acme = await moved(acme, -86_400 * SECOND, rates)
    assert await passing(acme, mine, 1) == 0
    acme = await moved(acme, -86_400 * SECOND + 121 * SECOND, rates)
    assert await passing(acme, mine, 6) == 5


async def test_an_id_that_was_seen_takes_nothing_from_a_limit(ctx: Context) -> None:
    acme = await customer(ctx)
    await put_policy(acme, rates=(limit("r", "5/min"),))
    mine = asked(await key(acme), id_="once")
    first, again = [await check(acme.parts, acme.tenant, mine) for _ in range(2)]
    assert (first.used, again.used, again.allowed) == (1, 1, True)
    assert states(first) == states(again) == {"r": (4, 12)}


async def test_a_key_gets_no_rate_that_its_algorithm_cannot_hold(ctx: Context) -> None:
    acme, shipped = await customer(ctx), catalogue()
    gb = Meter(name="gb", event_type="e", aggregation="sum", value_property="gb", unit="GB", places=3)
    await tenants.apply_catalogue(ctx, msgspec.structs.replace(shipped, meters=(*shipped.meters, gb)))
    for own in (
        Rate(name="own", meter="gb", limit="9000/s"),
        Rate(name="own", meter="gb", limit="9/s", algorithm="log"),
    ):
        with pytest.raises(InputInvalid, match="the rate own"):
            await key(acme, rates=(own,))
