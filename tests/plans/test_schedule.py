"""What billing knows ahead of a tenant is part of its policy, whoever writes that."""

import pytest

from tests import tape
from tests.customers import DAY, NOON, at, customer
from veloflux import tenants
from veloflux.context import Context
from veloflux.db import commit
from veloflux.db.commit import Commit
from veloflux.errors import ChangedMeanwhile
from veloflux.kit.clock import EARLIEST, LATEST
from veloflux.plans import NO_SCHEDULE, Policy, Schedule, find_schedule, put_schedule, read_policy, write_policy
from veloflux.plans.schedule import CUTS_MAX


async def planned(ctx: Context, *meters: str, cuts: tuple[int, ...] = (NOON, NOON + DAY)) -> Policy:
    """Write a schedule and the policy, as billing does; gives the policy in force."""
    tx, tenant = Commit(ctx.tenant), await tenants.find(ctx, ctx.tenant)
    schedule = put_schedule(tx, await find_schedule(ctx.db, ctx.tenant), meters, cuts)
    await write_policy(ctx.db, tx, tenant, schedule=schedule)
    await commit.run(ctx.db, tx)
    found = await read_policy(ctx.db, ctx.tenant)
    assert found
    return found


async def test_a_schedule_is_in_the_policy_that_is_written_with_it_and_in_those_after(ctx: Context) -> None:
    acme = await customer(ctx)
    for cuts in ((NOON,), (NOON, NOON + DAY)):
        policy = await planned(acme, "bytes", "requests", cuts=cuts)
        assert (policy.billed, policy.cuts) == (("requests", "bytes"), cuts)
    await at(acme, NOON + 1)
    after = await read_policy(ctx.db, acme.tenant)
    assert after
    assert (after.clock, after.billed, after.cuts) == (f"={NOON + 1}", policy.billed, policy.cuts)


async def test_without_a_priced_meter_that_adds_up_the_policy_says_nothing(ctx: Context) -> None:
    acme = await customer(ctx)
    before = await read_policy(ctx.db, acme.tenant)
    assert before
    assert before.text == (await planned(acme, "no_such_meter")).text == (await planned(acme)).text
    assert '"cuts"' not in before.text


async def test_of_two_who_change_a_schedule_one_must_look_again(ctx: Context) -> None:
    acme = await customer(ctx)
    for before in (NO_SCHEDULE, Schedule()):
        changes = [Commit(acme.tenant) for _ in range(2)]
        for change in changes:
            put_schedule(change, before, ["requests"], [NOON])
        await commit.run(ctx.db, changes[0])
        with pytest.raises(ChangedMeanwhile):
            await commit.run(ctx.db, changes[1])


async def test_reading_the_schedule_costs_no_wait_of_its_own(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    tenant = await tenants.find(acme, acme.tenant)
    with tape.taped(acme.db) as asked:
        await write_policy(acme.db, Commit(acme.tenant), tenant)
    assert (asked.waves, len(asked.commands)) == (3, 4)


@pytest.mark.parametrize(
    "cuts", [(NOON, NOON), (NOON, NOON - 1), (EARLIEST - 1,), (LATEST,), tuple(range(NOON, NOON + CUTS_MAX + 1))]
)
def test_cuts_ascend_within_time_and_are_not_too_many(cuts: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="schedule"):
        Schedule(cuts=cuts)
