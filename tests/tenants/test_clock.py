import asyncio

import pytest

from tests import cast
from veloflux import tenants
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import ClockNotMovable
from veloflux.kit import clock
from veloflux.tenants.clock import ClockMode

THEN = 1_431_831_600_000


async def sandbox(ctx: Context) -> Context:
    made = await tenants.create_tenant(ctx, "Acme", mode="sandbox")
    return ctx.within(tenants.scope_of(made), tenants.EVERYTHING)


async def test_a_sandbox_shows_the_time_that_it_is_told_and_then_real_time_again(ctx: Context) -> None:
    within = await sandbox(ctx)
    stopped = await tenants.set_clock(within, "stopped", THEN)
    assert stopped.clock == f"={THEN}"
    running = await tenants.set_clock(within, "offset", THEN)
    assert 0 <= within.within(tenants.scope_of(running)).now() - THEN < clock.HOUR_MS
    assert (await tenants.set_clock(within, "real")).clock == ""
    assert await tenants.find(ctx, "acme") == await tenants.find(ctx, within.tenant)


async def test_what_limits_are_decided_with_is_told_in_the_same_step(ctx: Context) -> None:
    within = await sandbox(ctx)
    before = await ctx.db.call("HGET", keys.limits(within.tenant), "version")
    await tenants.set_clock(within, "stopped", THEN)
    assert await ctx.db.call("HGET", keys.limits(within.tenant), "clock") == f"={THEN}"
    assert await ctx.db.call("HGET", keys.limits(within.tenant), "version") != before


async def test_set_by_many_at_once_document_and_limits_agree(ctx: Context) -> None:
    within = await sandbox(ctx)
    moves = [tenants.set_clock(within, "stopped", THEN + number) for number in range(4)]
    await asyncio.gather(*moves)
    tenant = await tenants.find(ctx, within.tenant)
    assert (tenant.version, tenant.clock) == (5, await ctx.db.call("HGET", keys.limits(within.tenant), "clock"))


@pytest.mark.parametrize(("mode", "at"), [("stopped", None), ("offset", None), ("real", THEN)])
async def test_a_time_is_given_exactly_when_it_is_needed(one_ctx: Context, mode: ClockMode, at: int | None) -> None:
    with pytest.raises(ClockNotMovable):
        await tenants.set_clock(await sandbox(one_ctx), mode, at)


async def test_a_live_tenant_has_real_time(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    with pytest.raises(ClockNotMovable):
        await tenants.set_clock(await cast.within(scene.alice, scene.acme), "stopped", THEN)
