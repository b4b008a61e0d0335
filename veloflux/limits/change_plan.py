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
from veloflux.errors import Conflict
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
    Overrides,
    Plan,
    Policy,
    Schedule,
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


class _Move(NamedTuple):
    """A tenant on its way to a plan, with its overrides, and what it has used beyond what the plan allows."""

    tenant: Tenant
    plan: Plan
    before: Overrides | None
    rows: Rows
    excess: list[_Excess]


async def change_plan(ctx: Context, plan: str, *, dry_run: bool = False) -> PlanChange:
    """Give the tenant another plan, or only say what would be exceeded.

    :raises PlanUnknown: the catalogue has no such plan. :raises Conflict: the tenant follows its subscription.
    """
    return await decide(lambda: _change(ctx, plan, dry_run=dry_run))


async def put_plan(
    ctx: Context, tx: Transaction, tenant: Tenant, plan: str, *, subscription: str, schedule: Schedule | None
) -> None:
    """Part of the commit of a subscription: the tenant follows it, with its plan and what that softens, from the next
    check on. `subscription` is "" when it follows none any more.

    :raises PlanUnknown: the catalogue has no such plan.
    """
    move = await _move(ctx, tenant, plan)
    changed = msgspec.structs.replace(tenant, plan=plan, subscription=subscription)
    await _put(ctx, tx, move, changed, schedule)


async def _change(ctx: Context, name: str, *, dry_run: bool) -> PlanChange:
    tenant = await tenants.find(ctx, ctx.tenant)
    if tenant.subscription and not dry_run:
        raise Conflict(f"This tenant has the plan of its subscription {tenant.subscription}; change that")
    move = await _move(ctx, tenant, name)
    change = PlanChange(
        former=tenant.plan,
        plan=move.plan.id,
        when_exceeded=move.plan.when_exceeded,
        exceeded=[_shown(one) for one in move.excess],
        dry_run=dry_run,
    )
    if not dry_run and move.plan.id != tenant.plan:
        tx = Transaction(ctx, tenant.id)
        await _put(ctx, tx, move, msgspec.structs.replace(tenant, plan=move.plan.id), None)
        await tx.commit()
    return change


async def _move(ctx: Context, tenant: Tenant, name: str) -> _Move:
    of, before = await read_catalogue(ctx.db), await find_overrides(ctx.db, tenant.id)
    plan, rows = pick_plan(of.plans, name), holding(before, ctx.now())
    return _Move(tenant, plan, before, rows, await _excess(ctx, tenant, plan, of, rows))


async def _put(ctx: Context, tx: Transaction, move: _Move, changed: Tenant, schedule: Schedule | None) -> None:
    rows = move.rows
    if move.plan.id != move.tenant.plan:
        held = await read_policy(ctx.db, changed.id) or Policy()
        rows = rows | {one.key: one for one in _relief(ctx, move.plan, held, move.excess)}
        tx.event(PlanChanged(tenant=changed.id, plan=move.plan.id, former=move.tenant.plan))
    changed = tx.change(keys.tenant(changed.id), move.tenant, changed)
    if move.before or rows:
        put_overrides(tx, move.before, rows)
    await write_policy(ctx.db, tx, changed, rows, schedule)


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
    former = {(quota.meter, quota.period): quota for quota in held.effective(ctx.now()).quotas if not quota.cap}
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
