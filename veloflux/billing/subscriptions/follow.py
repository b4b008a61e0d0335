"""What follows for a tenant from its subscriptions: whose limits it has, and what metering sums up for money."""

from collections.abc import Iterable, Sequence

from veloflux import limits
from veloflux.billing import store
from veloflux.billing.arithmetic.cycle import anchor_of
from veloflux.billing.arithmetic.periods import boundary
from veloflux.billing.basis import Basis
from veloflux.billing.model import Subscription
from veloflux.billing.states import LIVING, RUNNING
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import Conflict
from veloflux.kit.clock import DAY_MS
from veloflux.plans import Schedule, put_schedule, write_policy
from veloflux.plans.schedule import CUTS_MAX
from veloflux.transaction import Transaction

AHEAD_MS = 400 * DAY_MS
"""So far ahead beginnings of periods are known to metering."""
RENEWED_MS = 200 * DAY_MS
"""When less than this is known, it is made anew."""
BEHIND_MS = 400 * DAY_MS
"""So long after its time an event may still come."""


async def follow(ctx: Context, tx: Transaction, basis: Basis, subs: Sequence[Subscription]) -> None:
    """Part of the commit that changes one of the tenant's subscriptions, which are given as they are then.

    :raises Conflict: two of them charge for the same meter.
    """
    check_meters(basis, subs)
    schedule = _scheduled(ctx, tx, basis, subs)
    tenant, main = basis.tenant, next((one for one in subs if one.main and one.status in RUNNING), None)
    plan, id_ = (main.selection.plan, main.id) if main else (basis.catalogue.plans[0].id, "")
    if (plan, id_) != (tenant.plan, tenant.subscription):
        await limits.put_plan(ctx, tx, tenant, plan, subscription=id_, schedule=schedule)
    elif schedule:
        tx.expect(keys.tenant(tenant.id), "version", str(tenant.version))
        await write_policy(ctx.db, tx, tenant, schedule=schedule)


async def reschedule(ctx: Context, tx: Transaction, basis: Basis) -> Schedule | None:
    """Part of the commit that changes how the tenant's periods are counted, and writes its policy: the schedule that
    follows, if it is another one. Expects that no subscription begins another period meanwhile."""
    subs = await store.subscriptions(ctx.db, ctx.tenant)
    for sub in subs:
        if sub.status in RUNNING:
            tx.expect(keys.subscription(ctx.tenant, sub.id), "version", str(sub.version))
    return _scheduled(ctx, tx, basis, subs)


def expect_zone(tx: Transaction, basis: Basis) -> None:
    """Part of each commit that writes when a period ends: that was counted in the tenant's present zone."""
    tx.expect(keys.tenant(tx.owner), "zone", basis.tenant.zone)


def needs_renewal(schedule: Schedule, sub: Subscription, now: int) -> bool:
    """Whether metering knows too little of what is ahead, or not where this subscription's period ends. Pure."""
    cuts = schedule.cuts
    return not cuts or cuts[-1] < now + RENEWED_MS or (sub.status in RUNNING and sub.period_end not in cuts)


def priced(basis: Basis, subs: Iterable[Subscription]) -> set[str]:
    """Names of the meters that subscriptions charge for, or will from the next period on. What once was one stays one:
    late usage of it may come when the plan is another."""
    return {meter for sub in subs for meter in _meters(basis, sub)}


def check_meters(basis: Basis, subs: Iterable[Subscription]) -> None:
    """Usage is of a tenant, not of one of its subscriptions: two that charge for a meter would both charge for all.

    :raises Conflict: two living ones do, now or from the next period on.
    """
    taken: set[str] = set()
    for sub in subs:
        meters = _meters(basis, sub) if sub.status in LIVING else set()
        if twice := sorted(meters & taken):
            raise Conflict(
                f"Another subscription charges for {', '.join(twice)} already; change that one", field="plan"
            )
        taken |= meters


def cuts_of(basis: Basis, subs: Sequence[Subscription], before: Schedule, now: int) -> tuple[int, ...]:
    """Where usage is cut: where periods and phases begin, known and to come, for which events may come yet, and where a
    subscription stopped: what comes after is in none of its periods."""
    oldest = max((cut for cut in before.cuts if cut <= now - BEHIND_MS), default=0)
    past = {cut for cut in before.cuts if oldest <= cut <= now}
    phases = {phase.start for sub in subs for phase in sub.phases}
    ends = {sub.period_end for sub in subs if sub.status in RUNNING}
    stops = {sub.period_end for sub in subs if sub.status not in RUNNING and sub.period_end > now - BEHIND_MS}
    ahead = sorted({cut for sub in subs if sub.status in RUNNING for cut in _ahead(basis, sub, now)} | ends)
    known = sorted(past | phases | stops)
    return tuple(sorted({*known[-CUTS_MAX:], *ahead[: max(CUTS_MAX - len(known), 0)]}))[-CUTS_MAX:]


def _scheduled(ctx: Context, tx: Transaction, basis: Basis, subs: Sequence[Subscription]) -> Schedule | None:
    before = basis.schedule
    meters, cuts = tuple(sorted({*before.meters, *priced(basis, subs)})), cuts_of(basis, subs, before, ctx.now())
    return put_schedule(tx, before, meters, cuts) if (meters, cuts) != (before.meters, before.cuts) else None


def _meters(basis: Basis, sub: Subscription) -> set[str]:
    selections = (sub.selection, sub.next_selection)
    return {meter for one in selections if one for meter in basis.offer(one, sub.currency).plan.meters}


def _ahead(basis: Basis, sub: Subscription, now: int) -> Iterable[int]:
    selection = sub.next_selection or sub.selection
    anchor = anchor_of(sub, basis.offer(selection, sub.currency), basis.tenant.zone)
    number = sub.period + 2
    while (cut := boundary(anchor, number)) < now + AHEAD_MS:
        if cut > sub.period_end:
            yield cut
        number += 1
