"""What one tenant has beside its plan, and for how long."""

import asyncio

import msgspec
import pytest

from tests.customers import DAY, NOON, at, customer
from veloflux import audit, limits, tenants
from veloflux.context import Context
from veloflux.errors import Conflict, InputInvalid, NotFound
from veloflux.limits import Question, check
from veloflux.limits.overrides import list_overrides, remove_override, set_override
from veloflux.plans import Override, catalogue, compiled, pick_plan, read_policy
from veloflux.plans.overrides import OVERRIDES_MAX


def quota(value: int | None, **terms: object) -> Override:
    return msgspec.convert({"kind": "quota", "name": "requests", "value": value, **terms}, Override)


async def limit(ctx: Context) -> object:
    return (await check(ctx.parts, ctx.tenant, Question(meter="requests"))).limit


async def test_a_quota_holds_from_the_next_check_until_its_end(ctx: Context) -> None:
    acme = await customer(ctx)
    assert await limit(acme) == 1_000
    await set_override(acme, quota(5, until=NOON + DAY))
    assert await limit(acme) == 5
    assert (await limits.read_period(acme, "requests")).quota == 5
    assert await limit(await at(acme, NOON + DAY - 1)) == 5
    assert await limit(await at(acme, NOON + DAY)) == 1_000


async def test_what_is_remembered_of_a_policy_ends_with_the_override_on_a_clock_that_runs(one_ctx: Context) -> None:
    acme = await customer(one_ctx, clock="")
    await set_override(acme, quota(5, until=acme.now() + 400))
    seen = [await limit(acme)]
    while seen[-1] == 5:
        await asyncio.sleep(0.02)
        seen.append(await limit(acme))
    assert set(seen) == {5, 1_000}


async def test_no_quota_a_rate_and_a_feature(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    await set_override(acme, quota(None))
    await set_override(acme, Override(kind="rate", name="per_second", value="50/s", burst=60))
    await set_override(acme, Override(kind="feature", name="seats", value=50, until=NOON + DAY))
    policy = await read_policy(one_ctx.db, acme.tenant)
    assert policy
    now, later = policy.effective(NOON), policy.effective(NOON + DAY)
    assert (now.quotas, now.features, now.until) == ((), {"seats": 50}, NOON + DAY)
    assert (now.rates[0].emission_us, now.rates[0].tolerance_us) == (20_000, 1_200_000)
    assert (later.features, later.until) == ({}, None)
    assert [one.key for one in await list_overrides(acme)] == [
        "feature:seats",
        "quota:requests:month",
        "rate:per_second",
    ]


async def test_removed_the_plan_holds_again_and_what_is_over_is_not_listed(ctx: Context) -> None:
    acme = await customer(ctx)
    await set_override(acme, quota(5))
    await set_override(acme, quota(2_000, period="day", until=NOON + 1))
    await remove_override(acme, "quota:requests:month")
    assert await limit(acme) == 1_000
    later = await at(acme, NOON + 1)
    assert await list_overrides(later) == []
    for key in ("quota:requests:month", "quota:requests:day", "quota"):
        with pytest.raises(NotFound):
            await remove_override(later, key)
    names = [entry.name async for entry in audit.whole_trail(ctx, acme.tenant) if entry.name.startswith("override")]
    assert names == ["override.set", "override.set", "override.removed"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "quota", "name": "requests", "value": True},
        {"kind": "quota", "name": "requests", "value": "5"},
        {"kind": "rate", "name": "per_second", "value": 5},
        {"kind": "rate", "name": "per_second", "value": "5/week"},
        {"kind": "feature", "name": "sso"},
        {"kind": "price", "name": "sso", "value": 5},
    ],
)
def test_what_is_none_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, Override)


async def test_what_the_plan_does_not_have_or_is_over_is_refused(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    with pytest.raises(InputInvalid, match="no quota 'gb'"):
        await set_override(acme, Override(kind="quota", name="gb", value=5))
    with pytest.raises(InputInvalid, match="no rate 'per_day'"):
        await set_override(acme, Override(kind="rate", name="per_day", value="5/d"))
    with pytest.raises(InputInvalid, match="in the future"):
        await set_override(acme, quota(5, until=NOON))


async def test_two_that_are_set_at_once_both_hold_and_a_clock_moved_meanwhile_stays(ctx: Context) -> None:
    acme = await customer(ctx)
    await asyncio.gather(
        set_override(acme, quota(5)),
        set_override(acme, Override(kind="feature", name="sso", value=True)),
        tenants.set_clock(acme, "stopped", NOON + 1),
    )
    policy = await read_policy(ctx.db, acme.tenant)
    assert policy
    effective = policy.effective(NOON)
    assert (effective.quotas[0].limit, effective.features, policy.clock) == (5, {"sso": True}, f"={NOON + 1}")


async def test_there_is_an_end_to_how_many(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    for number in range(OVERRIDES_MAX):
        await set_override(acme, Override(kind="feature", name=f"f{number}", value=True))
    with pytest.raises(Conflict, match="at most 100"):
        await set_override(acme, Override(kind="feature", name="one_more", value=True))


def test_an_override_that_the_catalogue_does_not_fit_any_more_is_left_out() -> None:
    burst = Override(kind="rate", name="per_second", value="5/s", burst=9)
    gone = Override(kind="quota", name="gone", value=5)
    free = pick_plan(catalogue().plans, "free")
    window = msgspec.structs.replace(free.rates[0], algorithm="window", burst=0)
    policy = compiled(msgspec.structs.replace(free, rates=(window,)), catalogue(), "UTC", "", (burst, gone))
    assert policy.overrides == ()
