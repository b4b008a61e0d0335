"""Units beyond a quota are paid from credits: by priority, then by what expires first, then by start, then by id."""

from tests.customers import NOON, customer, put_policy, quota
from veloflux.context import Context
from veloflux.db import keys
from veloflux.limits import Question, check, commit, reserve

SOON, LATE = NOON + 1_000, NOON + 2_000


async def granted(ctx: Context, limit: int, **grants: str) -> Context:
    acme = await customer(ctx)
    await put_policy(acme, rates=(), quotas=(quota(limit),))
    for grant, state in grants.items():
        await acme.db.call("HSET", keys.credit_state(acme.tenant, "requests"), grant, state)
    return acme


async def left(ctx: Context) -> dict[str, int]:
    pairs = await ctx.db.call("HGETALL", keys.credit_state(ctx.tenant, "requests"))
    return {grant: int(state.split("|")[1]) for grant, state in zip(pairs[::2], pairs[1::2], strict=True)}


def units(cost: int) -> Question:
    return Question(meter="requests", cost=cost)


async def test_credits_burn_in_their_order_and_no_further_than_needed(ctx: Context) -> None:
    acme = await granted(
        ctx,
        3,
        later=f"5|5|1|0|{LATE}",
        sooner=f"5|5|1|0|{SOON}",
        first=f"2|2|0|0|{LATE}",
        ever="5|5|1|0|",
        expired=f"9|9|0|0|{NOON}",
        to_come=f"9|9|0|{SOON}|",
    )
    answers = [await check(acme.parts, acme.tenant, units(4)) for _ in range(3)]
    assert [(one.allowed, one.used, one.credits) for one in answers] == [(True, 3, 1), (True, 3, 4), (True, 3, 4)]
    assert await left(acme) == {"later": 3, "sooner": 0, "first": 0, "ever": 5, "expired": 9, "to_come": 9}
    assert (await check(acme.parts, acme.tenant, units(8))).allowed
    refused = await check(acme.parts, acme.tenant, units(1))
    assert (refused.refused_by, refused.used) == ("quota:requests", 3)


async def test_what_is_reserved_beyond_the_quota_is_held_against_the_credits_and_burned_when_committed(
    ctx: Context,
) -> None:
    acme = await granted(ctx, 2, one="5|5|0|0|")
    held = await reserve(acme.parts, acme.tenant, units(6))
    assert held.decision.allowed
    assert not (await check(acme.parts, acme.tenant, units(2))).allowed
    assert (await check(acme.parts, acme.tenant, units(1))).allowed
    done = await commit(acme.parts, acme.tenant, held.id, 6)
    assert done.decision
    assert (done.decision.credits, done.decision.used, await left(acme)) == (5, 2, {"one": 0})
