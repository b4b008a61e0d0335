"""A tenant gets another plan, which holds from its next check on.

What it used of a present period can be more than the new plan allows. The new plan says what becomes of that: the
former limit stays until the period ends (`keep`), the new one only marks overage until then (`soft`), or refuses at
once (`block`). Of a quota for the whole life there is no end: what is kept stays until an operator removes the
override. A billing period is the one that the tenant's anchor gives.
"""

from decimal import Decimal
from typing import NamedTuple

import msgspec

from veloflux import tenants
from veloflux.context import Context
from veloflux.db import keys
from veloflux.events import PlanChanged
from veloflux.limits.overrides import Rows, holding, put_overrides
from veloflux.metering.measure import shown
from veloflux.metering.open_periods import Opening
from veloflux.metering.quotas import Span, spans
from veloflux.metering.used import used_in
from veloflux.plans import (
    Catalogue,
    Meter,
    Override,
    Plan,
    Policy,
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
    span: Span
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
    rows |= {one.key: one for one in _relief(ctx, plan, held, excess)}
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
    now = ctx.now()
    policy = compiled(plan, of, tenant.zone, tenant.clock, rows.values(), billing_anchor=tenant.billing_anchor)
    found = []
    for quota in policy.effective(now).quotas:
        meter = pick_meter(of.meters, quota.meter)
        [span] = spans(policy, [quota], meter.name, now)
        [used] = await used_in(ctx.db, Opening(tenant.id, meter.key, tenant.zone, (span,)), now)
        if used > quota.limit and not quota.shadow:
            found.append(_Excess(meter, span, used))
    return found


def _relief(ctx: Context, plan: Plan, held: Policy, excess: list[_Excess]) -> list[Override]:
    """What softens the new plan until the periods end. A quota that is soft by itself needs none."""
    if plan.when_exceeded == "block":
        return []
    former = {(quota.meter, quota.period): quota for quota in held.effective(ctx.now()).quotas}
    relief = []
    for meter, span, _ in excess:
        quota = span.quota
        stays = quota if plan.when_exceeded == "soft" else former.get((quota.meter, quota.period))
        if quota.hard:
            relief.append(
                Override(
                    kind="quota",
                    name=quota.meter,
                    period=quota.period,
                    value=None if stays is None else stays.limit // 10**meter.places,
                    hard=plan.when_exceeded == "keep" and (stays is None or stays.hard),
                    until=span.end,
                )
            )
    return relief


def _shown(one: _Excess) -> Exceeded:
    places = one.meter.places
    return Exceeded(
        meter=one.meter.name,
        period=one.span.quota.period,
        used=shown(one.used, places),
        limit=shown(one.span.quota.limit, places),
    )
