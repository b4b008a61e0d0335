"""A tenant gets another time zone: the running period stays, the next ones are counted by the new clocks, and usage is
cut where they begin. `tiered` asks 1.00 for each of the first 100 requests of a period."""

import asyncio
from itertools import pairwise

import msgspec
import pytest

from tests.billing.shop import Told, bills, invoices, ms, on, opened, proven, tenant, used
from tests.customers import of
from veloflux import audit, tenants
from veloflux.billing import advance, store
from veloflux.billing.basis import read_basis
from veloflux.billing.model import Subscription
from veloflux.billing.subscriptions.cancel import pause, resume
from veloflux.billing.subscriptions.close_period import rolled, write
from veloflux.billing.subscriptions.follow import reschedule
from veloflux.billing.subscriptions.start import Start, start
from veloflux.billing.zone import set_zone
from veloflux.context import PLATFORM, Context
from veloflux.errors import ChangedMeanwhile, Conflict, InputInvalid, TenantReadOnly
from veloflux.events import SubscriptionRenewed, TenantZoneSet
from veloflux.plans import find_schedule, read_policy
from veloflux.transaction import Transaction

SAO_PAULO, TOKYO, AUCKLAND, HONOLULU = "America/Sao_Paulo", "Asia/Tokyo", "Pacific/Auckland", "Pacific/Honolulu"
FIXED = ("fixed", 5000)


async def begun(ctx: Context, at: str = "2024-01-31T10:00", plan: str = "tiered") -> tuple[Context, Subscription]:
    acme = await tenant(await opened(ctx), at, zone=SAO_PAULO)
    return acme, await start(acme, Start(plan=plan))


async def moved(ctx: Context, zone: str) -> Context:
    return of(ctx, await set_zone(ctx, zone))


async def later(ctx: Context, at: int) -> Context:
    """The clock shows another time, and nobody has done what is due by that."""
    return of(ctx, await tenants.set_clock(ctx, "stopped", at))


async def cuts(ctx: Context) -> tuple[int, ...]:
    return (await find_schedule(ctx.db, ctx.tenant)).cuts


async def test_the_running_period_stays_and_the_next_ones_are_of_the_new_clocks(one_ctx: Context) -> None:
    acme, sub = await begun(one_ctx)
    acme = await moved(acme, TOKYO)
    ends = ms("2024-02-29T10:00", SAO_PAULO)
    assert (await store.subscription(acme, sub.id)).period_end == ends
    assert (await cuts(acme))[:4] == (
        ms("2024-01-31T10:00", SAO_PAULO),
        ends,
        ms("2024-03-31T10:00", TOKYO),
        ms("2024-04-30T10:00", TOKYO),
    )
    acme = await on(acme, ends + 1000)
    after = await store.subscription(acme, sub.id)
    assert (after.period_start, after.period_end) == (ends, ms("2024-03-31T10:00", TOKYO))


async def test_usage_is_cut_by_the_new_clocks_also_when_nobody_closes_for_months(one_ctx: Context) -> None:
    acme, _ = await begun(one_ctx)
    acme = await on(acme, ms("2024-02-10", SAO_PAULO))
    acme = await moved(acme, TOKYO)
    acme = await later(acme, ms("2024-04-10", TOKYO))
    await used(acme, 1, ms("2024-02-29T09:59:59", SAO_PAULO), backfill=True)
    await used(acme, 2, ms("2024-02-29T10:00", SAO_PAULO), backfill=True)
    await used(acme, 4, ms("2024-03-31T09:59:59", TOKYO))
    await used(acme, 8, ms("2024-03-31T10:00", TOKYO))  # by the old clocks it is the day before, of the period before
    acme = await on(acme, ms("2024-05-10", TOKYO))
    assert [one.lines for one in (await bills(acme))[1:]] == [
        [("usage", 100), FIXED],
        [("usage", 600), FIXED],
        [("usage", 800), FIXED],
    ]
    await proven(acme)


async def test_what_is_due_is_done_first_by_the_former_clocks(one_ctx: Context) -> None:
    """Its usage was cut by them."""
    acme, sub = await begun(one_ctx)
    acme = await later(acme, ms("2024-04-10", SAO_PAULO))
    await used(acme, 2, ms("2024-03-31T09:59:59", SAO_PAULO))  # by the new clocks it is of the period after
    acme = await moved(acme, TOKYO)
    found = await store.subscription(acme, sub.id)
    assert (found.period_start, found.period_end) == (
        ms("2024-03-31T10:00", SAO_PAULO),
        ms("2024-04-30T10:00", SAO_PAULO),
    )
    assert (await bills(acme))[-1] == Told("period", [("usage", 200), FIXED], 5200)
    await proven(acme)


@pytest.mark.parametrize("zone", [AUCKLAND, HONOLULU])
async def test_by_the_calendar_the_next_period_begins_where_the_last_one_ended(one_ctx: Context, zone: str) -> None:
    """Clocks ahead make one period shorter, clocks behind one longer, by the hours that lie between."""
    acme = await tenant(await opened(one_ctx), "2024-01-01", zone=SAO_PAULO)
    await start(acme, Start(plan="hundred", calendar=True))
    acme = await moved(acme, zone)
    acme = await on(acme, "2024-04-15")
    lines = [line for one in await invoices(acme) for line in one.lines]
    starts = sorted(line.start for line in lines)
    assert starts == [
        ms("2024-01-01", SAO_PAULO),
        ms("2024-02-01", SAO_PAULO),
        ms("2024-03-01", zone),
        ms("2024-04-01", zone),
    ]
    assert all(first.end == second.start for first, second in pairwise(sorted(lines, key=lambda line: line.start)))
    assert {line.amount for line in lines} == {10000}


async def test_one_that_is_paused_begins_again_by_the_new_clocks(one_ctx: Context) -> None:
    acme, sub = await begun(one_ctx)
    await pause(acme, sub.id)
    acme = await moved(acme, TOKYO)
    acme = await on(acme, "2024-03-05T08:00")
    resumed = await resume(acme, sub.id)
    assert (resumed.anchor, resumed.period_end) == ("2024-03-05T08:00:00", ms("2024-04-05T08:00", TOKYO))


async def test_limits_and_the_trail_know_it(one_ctx: Context) -> None:
    acme, _ = await begun(one_ctx)
    for _ in range(2):  # the second time there is nothing to do
        assert (await set_zone(acme, TOKYO)).zone == TOKYO
    policy = await read_policy(acme.db, acme.tenant)
    assert policy
    assert (policy.zone, policy.cuts) == (TOKYO, await cuts(acme))
    [entry] = [one async for one in audit.whole_trail(one_ctx, acme.tenant) if one.name == "tenant.zone_set"]
    assert entry.data["zone"] == TOKYO


async def test_a_tenant_that_subscribes_to_nothing_keeps_the_plan_that_it_was_given(one_ctx: Context) -> None:
    ctx = await opened(one_ctx)
    made = await tenants.create_tenant(ctx, "Acme", plan="hundred")
    acme = of(ctx, made)
    assert (await set_zone(acme, TOKYO)).plan == "hundred"
    assert await cuts(acme) == ()


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "+03:00"])
async def test_what_is_no_zone_is_refused(one_ctx: Context, zone: str) -> None:
    acme, _ = await begun(one_ctx)
    with pytest.raises(InputInvalid) as refused:
        await set_zone(acme, zone)
    assert refused.value.extra["field"] == "zone"


async def test_who_may_not_be_changed_is_not(one_ctx: Context) -> None:
    acme, _ = await begun(one_ctx)
    await tenants.archive_tenant(acme)
    with pytest.raises(TenantReadOnly):
        await set_zone(acme, TOKYO)
    platform = of(one_ctx, await tenants.find(one_ctx, PLATFORM))
    with pytest.raises(Conflict):
        await set_zone(platform, TOKYO)


async def test_a_period_that_was_counted_by_the_former_clocks_is_not_begun(one_ctx: Context) -> None:
    """A worker read the zone before it changed, and commits after it."""
    acme, sub = await begun(one_ctx)
    basis, tx = await read_basis(acme), Transaction(acme, acme.tenant)
    after = rolled(basis, sub).subscription
    await write(acme, tx, basis, sub, after)
    tx.event(SubscriptionRenewed(subscription=sub.id, period_start=after.period_start, period_end=after.period_end))
    await set_zone(acme, TOKYO)
    with pytest.raises(ChangedMeanwhile):
        await tx.commit()


async def test_a_zone_does_not_change_over_a_period_that_began_meanwhile(one_ctx: Context) -> None:
    acme, sub = await begun(one_ctx)
    basis, tx = await read_basis(acme), Transaction(acme, acme.tenant)
    assert await reschedule(acme, tx, basis._replace(tenant=msgspec.structs.replace(basis.tenant, zone=TOKYO)))
    tx.event(TenantZoneSet(tenant=acme.tenant, zone=TOKYO))
    acme = await on(acme, sub.period_end)
    with pytest.raises(ChangedMeanwhile):
        await tx.commit()


async def test_zones_set_while_periods_close_leave_every_end_where_usage_is_cut(one_ctx: Context) -> None:
    acme, sub = await begun(one_ctx, "2024-01-31T00:00")
    for month in range(2, 12):
        acme = await later(acme, ms(f"2024-{month:02d}-15T{month:02d}:00"))
        zones = (AUCKLAND, HONOLULU) if month % 2 else (HONOLULU, SAO_PAULO, TOKYO)
        await asyncio.gather(advance(acme), *(set_zone(acme, zone) for zone in zones), advance(acme))
        acme = of(acme, await tenants.find(acme, acme.tenant))
        assert (await store.subscription(acme, sub.id)).period_end in await cuts(acme)
    ended = sorted((one.phases[0].start, one.phases[-1].end) for one in await invoices(acme) if one.phases)
    running = await store.subscription(acme, sub.id)
    periods = [*ended, (running.period_start, running.period_end)]
    assert (periods[0][0], len(periods)) == (sub.period_start, 10)
    assert all(first[1] == second[0] for first, second in pairwise(periods))
    await proven(acme)
