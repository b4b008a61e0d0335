"""Which tenants are near a limit: a list for operators, kept from the events of thresholds and not by looking at all.

A quota is in it from its first threshold until its period ends.
"""

import asyncio

import msgspec

from veloflux import tenants
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import NotFound
from veloflux.events import QuotaThresholdReached, Recorded
from veloflux.kit import clock
from veloflux.limits import store
from veloflux.limits.model import Amount
from veloflux.metering.measure import shown
from veloflux.metering.quotas import Span, spans
from veloflux.plans import Policy, pick_meter, read_policy
from veloflux.transaction import Transaction

SHOWN_MAX = 100


class NearLimit(msgspec.Struct, frozen=True, kw_only=True):
    """A quota of a tenant: `percent` of its `limit` are used now, `reached` is the highest threshold that was told;
    `ends_at` is the end of its period, epoch ms of the tenant's clock, None: never."""

    tenant: str
    slug: str
    name: str
    meter: str
    unit: str
    period: str
    percent: float
    reached: int
    used: Amount
    limit: Amount
    hard: bool
    ends_at: int | None


async def list_near(ctx: Context) -> list[NearLimit]:
    """The quotas of which most is used in their present periods, the highest share first; 100 at most."""
    await store.forget_over(ctx.db, clock.now_ms())
    entries = await store.nearest(ctx.db, SHOWN_MAX)
    found = await asyncio.gather(*(_near(ctx, entry, reached) for entry, reached in entries))
    return sorted((one for one in found if one), key=lambda one: -one.percent)


async def note_threshold(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Of `quota.threshold_reached`; again, or after a higher one, changes nothing."""
    said = msgspec.convert(event.data, QuotaThresholdReached)
    policy = await read_policy(ctx.db, event.owner)
    if policy is None or (span := _span(policy, said.meter, said.period)) is None:
        return
    real = clock.now_ms()
    end = None if span.end is None else real + span.end - clock.apply(policy.clock, real)
    await store.forget_over(ctx.db, real)
    await store.note_near(ctx.db, keys.near_member(event.owner, said.meter, said.period), said.percent, end)


async def forget_near(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Of `tenant.deleted`."""
    await store.forget_near(ctx.db, event.owner)


async def _near(ctx: Context, entry: str, reached: int) -> NearLimit | None:
    """As it is now; None: the tenant is gone, or its plan has this quota no more."""
    tenant, meter, period = entry.split("/")
    policy = await read_policy(ctx.db, tenant)
    if policy is None or (span := _span(policy, meter, period)) is None:
        return None
    of = pick_meter(policy.meters, meter)
    try:
        whose, used = await asyncio.gather(
            tenants.find(ctx, tenant), store.used_of(ctx.db, keys.counted(tenant, of.key, period))
        )
    except NotFound:
        return None
    limit = span.quota.limit
    return NearLimit(
        tenant=tenant,
        slug=whose.slug,
        name=whose.name,
        meter=meter,
        unit=of.unit,
        period=span.quota.period,
        percent=round(100 * used / limit, 1) if limit else 100.0,
        reached=reached,
        used=shown(used, of.places),
        limit=shown(limit, of.places),
        hard=span.quota.hard,
        ends_at=span.end,
    )


def _span(policy: Policy, meter: str, period: str) -> Span | None:
    now = clock.apply(policy.clock, clock.now_ms())
    return next((one for one in spans(policy, policy.effective(now).quotas, meter, now) if one.name == period), None)
