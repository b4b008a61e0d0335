"""Watches what subscriptions cost: tells of alerts, and turns spend caps into quotas.

A cap of a meter is a hard quota of the meter's whole life, put there when the period begins: what was used until then,
and as much as may still be used. So it holds to the unit, whatever else limits the meter in months or billing periods.
What comes of other periods meanwhile (late events) uses it up until the next look. A cap of all usage cannot be a quota
of each meter: it is looked at every few minutes, and once it is reached, nothing more is let pass. Quotas bound checks
and reservations; events that are recorded, and what credits pay for, are let pass and billed.
"""

import asyncio
import functools
from collections.abc import Iterator

import structlog
from msgspec.structs import replace

from veloflux import limits, metering, tenants
from veloflux.billing import store
from veloflux.billing.agenda import Item
from veloflux.billing.arithmetic.usage_lines import NOTHING
from veloflux.billing.basis import Basis, read_basis
from veloflux.billing.invoices.usage import meters_of, used_in
from veloflux.billing.model import Spend, SpendState, Subscription
from veloflux.billing.spend.cost import Reading, read
from veloflux.billing.spend.judging import TOTAL, allowed, capped_meters, judged, units
from veloflux.billing.states import RUNNING
from veloflux.billing.subscriptions.close_period import close_period
from veloflux.context import Context
from veloflux.db import keys
from veloflux.db.jobs import Job
from veloflux.errors import NotFound, VeloFluxError
from veloflux.events import (
    Event,
    Recorded,
    SpendAlertReached,
    SpendCapBegan,
    SpendCapEnded,
    SpendForecastReached,
    SpendQuotasSet,
)
from veloflux.plans import Cap, find_overrides
from veloflux.transaction import Transaction, decide

log = structlog.get_logger(slice="billing")
Caps = dict[str, Cap]


async def watch_spend(ctx: Context, _job: Job, _tx: Transaction) -> None:
    """The job `watch_spend`: all subscriptions that have alerts or caps. One that cannot be read holds up no other."""
    for tenant, id_ in await store.watched(ctx.db):
        try:
            await _watch_of(ctx, tenant, id_)
        except VeloFluxError as error:
            log.warning("spend_not_watched", tenant=tenant, subscription=id_, error=str(error))


async def follow_spend(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Of whatever changes the running period of a subscription: what may be used within its caps is another."""
    await _watch_of(ctx, event.owner, str(event.data["subscription"]))


async def close_watched(ctx: Context, item: Item) -> None:
    """What is due at the end of a period: a last look at it, and a first one at the period that begins."""
    sub = await store.subscription(ctx, item.subject)
    if sub.spend:
        await watch(ctx, sub.id)
    await close_period(ctx, item, sub)
    if sub.spend:
        await watch(ctx, sub.id)


async def watch(ctx: Context, id_: str) -> None:
    """Look at a subscription now; what is reached is said once, however often it is looked at.

    :raises NotFound: the tenant has no such subscription.
    """
    await decide(functools.partial(_watch, ctx, id_))


async def _watch_of(ctx: Context, tenant: str, id_: str) -> None:
    try:
        found = await tenants.find(ctx, tenant)
        await watch(ctx.within(tenants.scope_of(found)), id_)
    except NotFound:  # deleted meanwhile
        return


async def _watch(ctx: Context, id_: str) -> None:
    sub, state = await asyncio.gather(store.subscription(ctx, id_), store.find_spend(ctx.db, ctx.tenant, id_))
    if sub.spend is None and state is None:
        return
    basis, overrides = await asyncio.gather(read_basis(ctx), find_overrides(ctx.db, ctx.tenant))
    before, held = state or SpendState(id=sub.id, period_start=sub.period_start), overrides.caps if overrides else {}
    after, caps = await _wanted(ctx, basis, sub, before, held)
    events = list(told(sub, before, after))
    if not events and caps == held:
        return
    tx = Transaction(ctx, ctx.tenant)
    tx.expect(keys.subscription(ctx.tenant, id_), "version", str(sub.version))
    if state is None:
        tx.create(keys.spend(ctx.tenant, id_), after)
    else:
        tx.change(keys.spend(ctx.tenant, id_), before, after)
    if caps != held:
        await limits.put_caps(ctx, tx, basis.tenant, overrides, caps)
        meters = tuple(cap.meter for key, cap in caps.items() if _is_own(key, sub))
        tx.event(SpendQuotasSet(subscription=id_, meters=meters))
    for event in events:
        tx.event(event)
    await tx.commit()


async def _wanted(
    ctx: Context, basis: Basis, sub: Subscription, before: SpendState, held: Caps
) -> tuple[SpendState, Caps]:
    """What is reached now, and the caps of the whole tenant."""
    others = {key: cap for key, cap in held.items() if not _is_own(key, sub)}
    if sub.spend is None or sub.status not in RUNNING:
        return replace(before, acting=()), others
    found = await read(ctx, basis, sub)
    after = judged(sub.spend, before, found)
    blocks = TOTAL in after.acting
    stays = blocks and TOTAL in before.acting and before.period_start == sub.period_start
    meters = sorted({*sub.spend.meter_caps, *(capped_meters(found) if blocks else ())})
    limits_ = await asyncio.gather(*(_limit(ctx, found, sub.spend, meter, blocks=blocks) for meter in meters))
    own = {
        f"{sub.id} {meter}": Cap(meter=meter, limit=limit, places=found.meters[meter].places, until=sub.period_end)
        for meter, limit in zip(meters, limits_, strict=True)
        if limit is not None
    }
    if stays:  # what came by events since then does not make room for more
        own = {key: min(cap, held.get(key, cap), key=lambda one: one.limit) for key, cap in own.items()}
    return after, others | own


async def _limit(ctx: Context, read_: Reading, spend: Spend, meter: str, *, blocks: bool) -> int | None:
    """What a meter's quota of its whole life is to be, in 10^-places units; None: none."""
    versions = [one for one in meters_of(read_.basis, read_.sub, read_.phases) if one.name == meter]
    if not versions:
        return None
    zone = read_.basis.tenant.zone
    standing = await metering.read_standing(ctx.db, ctx.tenant, versions, zone, ctx.now())
    cap, within = spend.meter_caps.get(meter), None
    if cap is not None and (quantity := allowed(read_, meter, cap)) is not None:
        used = used_in(read_.phases[-1], {meter: standing.segments}).get(meter, NOTHING)
        within = max(standing.used + quantity - units(read_, meter, used), 0)
    if blocks:
        within = standing.used if within is None else min(within, standing.used)
    return within


def told(sub: Subscription, before: SpendState, after: SpendState) -> Iterator[Event]:
    """What was not said before: alerts that this period has reached, and caps that begin and end to refuse. Pure."""
    assert sub.spend or not after.acting
    same = before.period_start == after.period_start
    start, known = after.period_start, before if same else SpendState(id=before.id, period_start=0)
    of = {"subscription": sub.id, "currency": sub.currency}
    for amount in after.reached:
        if amount not in known.reached:
            yield SpendAlertReached(**of, amount=amount, period_start=start)
    for amount in after.foreseen:
        if amount not in known.foreseen and amount not in after.reached:
            yield SpendForecastReached(**of, amount=amount, period_start=start)
    for meter in before.acting:
        if meter not in after.acting or not same:
            yield SpendCapEnded(subscription=sub.id, meter=meter)
    for meter in after.acting:
        if meter not in known.acting and sub.spend:
            amount_ = sub.spend.meter_caps[meter] if meter else sub.spend.cap
            yield SpendCapBegan(**of, meter=meter, amount=amount_ or 0)


def _is_own(key: str, sub: Subscription) -> bool:
    return key.startswith(f"{sub.id} ")
