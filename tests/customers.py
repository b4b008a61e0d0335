"""A tenant to measure and to limit, with its API key."""

from typing import Any

import msgspec

from tests import whole_database
from veloflux import tenants
from veloflux.context import PLATFORM, Context
from veloflux.db import keys
from veloflux.kit import clock
from veloflux.limits import Question
from veloflux.metering.seen import Seen
from veloflux.plans import Policy, catalogue, pick_plan
from veloflux.plans.catalogue import Rate
from veloflux.plans.policy import QuotaLimit, compiled, rate_limit, version
from veloflux.tenants import EVERYTHING, KeyTerms, NewApiKey, Tenant

NOON = 1_747_494_000_000  # 2025-05-17 12:00 in São Paulo, 15:00 in UTC
DAY = 86_400_000
UNITS = {1: "s", 60: "min"}


async def customer(ctx: Context, name: str = "Acme", plan: str = "free", clock: str = f"={NOON}") -> Context:
    """The context within a new sandbox tenant, whose clock stands still; a busy machine may take its time."""
    patient = msgspec.structs.replace(ctx.settings, check_timeout_ms=10_000)
    ctx = msgspec.structs.replace(ctx, parts=msgspec.structs.replace(ctx.parts, settings=patient))
    tenant = await tenants.create_tenant(ctx, name, plan=plan, mode="sandbox")
    inside = of(ctx, tenant)
    return await at(inside, int(clock[1:])) if clock else inside


async def at(ctx: Context, ms: int) -> Context:
    """The same tenant, its clock stopped at another time."""
    return of(ctx, await tenants.set_clock(ctx, "stopped", ms))


async def key(ctx: Context, role: str = "member", **terms: Any) -> NewApiKey:
    """A new key; `terms` as of `KeyTerms`."""
    return await tenants.create_api_key(ctx, "of the tests", role, KeyTerms(**terms))


async def expire(ctx: Context, new: NewApiKey) -> None:
    """What time does, for a test that cannot wait: a key is over."""
    await ctx.db.call("HSET", keys.api_key(ctx.tenant, new.key.id), "expires_at", clock.now_ms() - 1)


async def service_key(ctx: Context) -> str:
    """The token of one of the operators' keys."""
    platform = await tenants.find(ctx, PLATFORM)
    return (await tenants.create_api_key(of(ctx, platform), "gateway")).token


def asked(new: NewApiKey, meter: str = "requests", cost: int = 1, id_: str = "", address: str = "") -> Question:
    """What the holder of an API key asks."""
    return Question(meter=meter, cost=cost, id=id_, address=address, key=(new.key.id, new.key.digest))


async def put_policy(ctx: Context, **changes: object) -> Policy:
    """Let a tenant have a policy that no plan of the catalogue has."""
    tenant = await tenants.find(ctx, ctx.tenant)
    plain = compiled(pick_plan(catalogue().plans, tenant.plan), catalogue(), tenant.zone, tenant.clock)
    policy = msgspec.structs.replace(plain, **changes)
    await ctx.db.call("HSET", keys.limits(ctx.tenant), "policy", policy.text, "version", version(policy.text))
    return policy


def quota(limit: int, meter: str = "requests", **terms: Any) -> QuotaLimit:
    return QuotaLimit(meter=meter, limit=limit, **terms)


def rate(name: str = "r", *, count: int = 10, burst: int = 20, per: str = "tenant", per_s: int = 1) -> object:
    return rate_limit(
        msgspec.convert(
            {"name": name, "meter": "requests", "limit": f"{count}/{UNITS[per_s]}", "burst": burst, "per": per}, Rate
        )
    )


def of(ctx: Context, tenant: Tenant) -> Context:
    return ctx.within(tenants.scope_of(tenant), EVERYTHING)


async def let_a_generation_pass(ctx: Context) -> None:
    """What time does, for a test that cannot wait: the present generation of seen events, and of the lives of their
    buckets, is over by as much as the plan remembers."""
    limits = keys.limits(ctx.tenant)
    state = Seen.read(await ctx.db.call("HGET", limits, "seen"))
    await ctx.db.call("HSET", limits, "seen", state._replace(since=state.since - state.seen_ms).text)
    for name in sorted(name for name in await whole_database.contents(ctx.db) if f"{ctx.tenant}}}:seen:" in name):
        await ctx.db.call("PEXPIREAT", name, await ctx.db.call("PEXPIRETIME", name) - state.seen_ms)
