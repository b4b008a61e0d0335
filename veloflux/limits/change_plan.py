"""A tenant gets another plan, which holds from its next check on.

What it used of a present period can be more than the new plan allows. The new plan says what becomes of that: the
former limit stays until the period ends (`keep`), the new one only marks overage until then (`soft`), or refuses at
once (`block`). Of a quota for the whole life there is no end: what is kept stays until an operator removes the
override. A billing period is a month of the tenant's zone.
"""

from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

import msgspec

from veloflux import tenants
from veloflux.context import Context
from veloflux.db import keys
from veloflux.events import PlanChanged
from veloflux.kit import period
from veloflux.limits.overrides import Rows, holding, put_overrides
from veloflux.metering import read_usage, totals
from veloflux.metering.measure import shown
from veloflux.plans import (
    Catalogue,
    Meter,
    Override,
    Plan,
    Policy,
    QuotaLimit,
    compiled,
    find_overrides,
    pick_meter,
    pick_plan,
    read_catalogue,
    read_policy,
    write_policy,
)
from veloflux.plans.catalogue import Period
from veloflux.tenants import Tenant
from veloflux.transaction import Transaction, decide


class Exceeded(msgspec.Struct, frozen=True, kw_only=True):
    """A quota of the new plan of which more is used already, in units of the meter."""

    meter: str
    period: Period
    used: int | Decimal
    limit: int | Decimal


class PlanChange(msgspec.Struct, frozen=True, kw_only=True):
    """`when_exceeded` (keep, soft, block) is what becomes of what is exceeded; a dry run changes nothing."""

    former: str
    plan: str
    when_exceeded: str
    exceeded: list[Exceeded]
    dry_run: bool = False


class _Excess(NamedTuple):
    meter: Meter
    quota: QuotaLimit
    used: int


async def change_plan(ctx: Context, plan: str, *, dry_run: bool = False) -> PlanChange:
    """Give the tenant another plan, or only say what would be exceeded.

    :raises PlanUnknown: the catalogue has no such plan.
    """
    return await decide(lambda: _change(ctx, plan, dry_run=dry_run))


async def _change(ctx: Context, name: str, *, dry_run: bool) -> PlanChange:
    tenant, of = await tenants.find(ctx, ctx.tenant), await read_catalogue(ctx.db)
    plan, before = pick_plan(of.plans, name), await find_overrides(ctx.db, tenant.id)
    held = await read_policy(ctx.db, tenant.id) or Policy()
    rows = holding(before, ctx.now())
    excess = await _excess(ctx, tenant, plan, of, rows)
    change = PlanChange(
        former=tenant.plan,
        plan=plan.id,
        when_exceeded=plan.when_exceeded,
        exceeded=[_shown(one) for one in excess],
        dry_run=dry_run,
    )
    if dry_run or plan.id == tenant.plan:
        return change
    rows |= {one.key: one for one in _relief(ctx, tenant, plan, held, excess)}
    tx = Transaction(ctx, tenant.id)
    changed = tx.change(keys.tenant(tenant.id), tenant, msgspec.structs.replace(tenant, plan=plan.id))
    if before or rows:
        put_overrides(tx, before, rows)
    await write_policy(ctx.db, tx, changed, rows)
    tx.event(PlanChanged(tenant=tenant.id, plan=plan.id, former=tenant.plan))
    await tx.commit()
    return change


async def _excess(ctx: Context, tenant: Tenant, plan: Plan, of: Catalogue, rows: Rows) -> list[_Excess]:
    """Quotas as they would be, of which more is used."""
    policy = compiled(plan, of, tenant.zone, tenant.clock, rows.values())
    found = []
    for quota in policy.effective(ctx.now()).quotas:
        meter = pick_meter(of.meters, quota.meter)
        used = await _used(ctx, tenant, meter, quota.period)
        if used > quota.limit and not quota.shadow:
            found.append(_Excess(meter, quota, used))
    return found


async def _used(ctx: Context, tenant: Tenant, meter: Meter, of: Period) -> int:
    """What the present period of a quota has used, in the meter's places."""
    match of:
        case "day":
            today = period.day_of(ctx.now(), tenant.zone)
            used = (await read_usage(ctx, meter.name, "day", today, today)).total
        case "lifetime":
            used = (await read_usage(ctx, meter.name, "month")).total
        case _:
            [total] = await totals(ctx.db, tenant.id, meter.key, [period.month_of(ctx.now(), tenant.zone)])
            return total or 0
    return int((used or 0) * 10**meter.places)


def _relief(ctx: Context, tenant: Tenant, plan: Plan, held: Policy, excess: list[_Excess]) -> list[Override]:
    """What softens the new plan until the periods end. A quota that is soft by itself needs none."""
    if plan.when_exceeded == "block":
        return []
    former = {(quota.meter, quota.period): quota for quota in held.effective(ctx.now()).quotas}
    relief = []
    for meter, quota, _ in excess:
        stays = quota if plan.when_exceeded == "soft" else former.get((quota.meter, quota.period))
        if quota.hard:
            relief.append(
                Override(
                    kind="quota",
                    name=quota.meter,
                    period=quota.period,
                    value=None if stays is None else stays.limit // 10**meter.places,
                    hard=plan.when_exceeded == "keep" and (stays is None or stays.hard),
                    until=_end(ctx.now(), tenant.zone, quota.period),
                )
            )
    return relief


def _end(now: int, zone: str, of: Period) -> int | None:
    match of:
        case "day":
            return period.day_start(period.day_of(now, zone) + timedelta(days=1), zone)
        case "lifetime":
            return None
    return period.month_bounds(period.month_of(now, zone), zone)[1]


def _shown(one: _Excess) -> Exceeded:
    places = one.meter.places
    return Exceeded(
        meter=one.meter.name,
        period=one.quota.period,
        used=shown(one.used, places),
        limit=shown(one.quota.limit, places),
    )
