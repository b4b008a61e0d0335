"""What checks answer when Redis is away is part of the policy that every process remembers."""

import asyncio

from tests.customers import customer
from veloflux import audit, tenants
from veloflux.context import Context
from veloflux.plans import read_policy


async def test_a_tenant_fails_closed_until_it_says_otherwise(ctx: Context) -> None:
    acme = await customer(ctx)
    for wanted in (False, True, True, False):
        assert (await tenants.set_failure_policy(acme, wanted)).fails_open == wanted
        policy = await read_policy(ctx.db, acme.tenant)
        assert policy
        assert policy.fails_open == wanted
    trail = [one async for one in audit.whole_trail(ctx, acme.tenant) if one.name == "tenant.failure_policy_set"]
    assert [entry.data["fails_open"] for entry in trail] == [True, False]


async def test_set_with_the_clock_at_once_both_stay(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    await asyncio.gather(tenants.set_failure_policy(acme, True), tenants.set_clock(acme, "stopped", 1_747_494_000_009))
    policy = await read_policy(one_ctx.db, acme.tenant)
    assert policy
    assert (policy.fails_open, policy.clock) == (True, "=1747494000009")
