"""What follows for a tenant from its subscriptions: the plan whose limits it has, and what metering sums up for money."""

from collections.abc import Iterable, Sequence

from veloflux import limits
from veloflux.billing.basis import Basis
from veloflux.billing.cycle import anchor_of
from veloflux.billing.model import LIVING, Subscription
from veloflux.billing.periods import boundary
from veloflux.context import Context
from veloflux.kit.clock import DAY_MS
from veloflux.plans import Schedule, find_schedule, put_schedule
from veloflux.plans.schedule import CUTS_MAX
from veloflux.transaction import Transaction

AHEAD_MS = 400 * DAY_MS
"""So far ahead beginnings of periods are known to metering."""
RENEWED_MS = 200 * DAY_MS
"""When less than this is known, it is made anew."""
BEHIND_MS = 400 * DAY_MS
"""So long after its time an event may still come."""


async def follow(ctx: Context, tx: Transaction, basis: Basis, subs: Sequence[Subscription]) -> None:
    """Part of the commit that changes one of the tenant's subscriptions, which are given as they are then."""
    before = await find_schedule(ctx.db, ctx.tenant)
    meters, cuts = priced(basis, subs), cuts_of(basis, subs, before, ctx.now())
    schedule = put_schedule(tx, before, meters, cuts) if (meters, cuts) != (before.meters, before.cuts) else None
    plan = plan_of(basis, subs)
    if plan != basis.tenant.plan:
        await limits.put_plan(ctx, tx, basis.tenant, plan, schedule)
    elif schedule:
        await limits.put_schedule(ctx, tx, basis.tenant, schedule)


async def needs_renewal(ctx: Context, subs: Sequence[Subscription]) -> bool:
    """Whether metering knows too little of what is ahead, or another boundary than the one that there is now."""
    known = await find_schedule(ctx.db, ctx.tenant)
    return (
        not known.cuts
        or known.cuts[-1] < ctx.now() + RENEWED_MS
        or any(sub.period_end not in known.cuts for sub in subs if sub.status in LIVING)
    )


def plan_of(basis: Basis, subs: Iterable[Subscription]) -> str:
    """The plan of the main subscription; while there is none that lives, the first one of the catalogue."""
    for sub in subs:
        if sub.main and sub.status in LIVING:
            return sub.selection.plan
    return basis.catalogue.plans[0].id


def priced(basis: Basis, subs: Iterable[Subscription]) -> tuple[str, ...]:
    """Names of the meters that subscriptions charge for, or may from the next period on."""
    selections = [
        selection
        for sub in subs
        for selection in (sub.selection, sub.next_selection, *(phase.selection for phase in sub.phases))
        if selection
    ]
    return tuple(sorted({meter for one in selections for meter in basis.offer(one, "").plan.meters}))


def cuts_of(basis: Basis, subs: Sequence[Subscription], before: Schedule, now: int) -> tuple[int, ...]:
    """Where usage is cut: at all beginnings of periods and phases, known and to come, for which events may come yet."""
    past = {cut for cut in before.cuts if now - BEHIND_MS <= cut <= now}
    phases = {phase.start for sub in subs for phase in sub.phases}
    ends = {sub.period_end for sub in subs if sub.status in LIVING}
    ahead = sorted({cut for sub in subs if sub.status in LIVING for cut in _ahead(basis, sub, now)} | ends)
    known = sorted(past | phases)
    return tuple(sorted({*known[-CUTS_MAX:], *ahead[: max(CUTS_MAX - len(known), 0)]}))[-CUTS_MAX:]


def _ahead(basis: Basis, sub: Subscription, now: int) -> Iterable[int]:
    selection = sub.next_selection or sub.selection
    anchor = anchor_of(sub, basis.offer(selection, sub.currency), basis.tenant.zone)
    number = sub.period + 2
    while (cut := boundary(anchor, number)) < now + AHEAD_MS:
        if cut > sub.period_end:
            yield cut
        number += 1
