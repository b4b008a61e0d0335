"""Whole lives of subscriptions, played with the clock of a sandbox."""

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from tests.billing.shop import (
    balance,
    bills,
    invoices,
    ms,
    on,
    opened,
    proven,
    subscribed,
    tenant,
    used,
)
from tests.customers import of
from veloflux import tenants
from veloflux.billing import advance, store
from veloflux.billing.subscriptions.cancel import cancel, reactivate
from veloflux.billing.subscriptions.change import ChangeSubscription, change
from veloflux.billing.subscriptions.start import Start, start
from veloflux.billing.zone import set_zone
from veloflux.context import Context
from veloflux.kit.clock import DAY_MS, HOUR_MS


async def periods(ctx: Context, id_: str) -> list[tuple[int, int]]:
    """What the fixed charges of a subscription were for, in order."""
    found = [line for one in await invoices(ctx) if one.subscription == id_ for line in one.lines]
    return sorted({(line.start, line.end) for line in found if line.kind == "fixed"})


def local(ctx: Context, at: int) -> str:
    """What the tenant's clocks show."""
    assert ctx.scope
    return datetime.fromtimestamp(at / 1000, ZoneInfo(ctx.scope.zone)).strftime("%Y-%m-%d %H:%M")


async def test_upgrade_downgrade_cancel_and_return(ctx: Context) -> None:
    acme, id_ = await subscribed(ctx, "2024-02-18", "hundred")
    acme = await on(acme, "2024-02-25")
    await change(acme, id_, ChangeSubscription(plan="three"))  # -75.86 + 227.59
    acme = await on(acme, "2024-03-20")  # 300.00 on the 18th
    await change(acme, id_, ChangeSubscription(plan="metered"))  # from 18 April on
    acme = await on(acme, "2024-04-20")  # 29.00
    await used(acme, 300, "2024-04-20")
    await cancel(acme, id_)
    acme = await on(acme, "2024-06-01")  # 10 of 300 requests are beyond what is included: 0.10
    assert (await store.subscription(acme, id_)).status == "cancelled"
    assert (await tenants.find(acme, acme.tenant)).plan == "free"
    await reactivate(acme, id_)  # 29.00
    acme = await on(acme, "2024-06-30")
    found = [(one.reason, one.total) for one in await bills(acme)]
    assert found == [
        ("start", 10000),
        ("change", 15173),
        ("period", 30000),
        ("period", 2900),
        ("end", 10),
        ("start", 2900),
    ]
    assert (await tenants.find(acme, acme.tenant)).plan == "metered"
    assert await balance(acme, "receivable") == 60983
    await proven(acme)


async def test_the_31st_returns_over_a_leap_year(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-01-31T10:00", "hundred")
    acme = await on(acme, "2025-03-31T10:00")
    starts = [local(acme, start) for start, _ in await periods(acme, id_)]
    days = ["01-31", "02-29", "03-31", "04-30", "05-31", "06-30", "07-31", "08-31", "09-30", "10-31", "11-30", "12-31"]
    leap = [f"2024-{day} 10:00" for day in days]
    assert starts == [*leap, "2025-01-31 10:00", "2025-02-28 10:00", "2025-03-31 10:00"]
    assert {one.total for one in await bills(acme)} == {10000}
    await proven(acme)


ZONES = {
    # zone: days of the year whose length is not 24 hours: 2024-03-10 and 11-03, 03-31 and 10-27, none
    "America/New_York": [23, 25],
    "Europe/Paris": [23, 25],
    "America/Sao_Paulo": [],
}


@pytest.mark.parametrize("zone", ZONES)
async def test_a_time_of_day_stays_where_clocks_change(one_ctx: Context, zone: str) -> None:
    acme = await tenant(await opened(one_ctx), "2024-01-01T09:30", zone=zone)
    sub = await start(acme, Start(plan="weekly"))
    acme = await on(acme, "2025-01-06T09:30")
    found = await periods(acme, sub.id)
    assert len(found) == 54
    assert {local(acme, begins)[-5:] for begins, _ in found} == {"09:30"}
    assert all(first[1] == second[0] for first, second in pairwise(found))
    odd = [(end - begins) // HOUR_MS - 6 * 24 for begins, end in found if end - begins != 7 * DAY_MS]
    assert odd == ZONES[zone]
    assert {one.total for one in await bills(acme)} == {700}


@pytest.mark.parametrize(
    ("zone", "at", "credited"),
    [
        # the week from 4 March has 167 hours in New York, of which 22 are left an hour before its clocks change: 92.22
        # cents of 700; elsewhere 23 of 168: 95.83
        ("America/New_York", "2024-03-10T01:00", 92),
        ("Europe/Paris", "2024-03-10T01:00", 96),
        ("America/Sao_Paulo", "2024-03-10T01:00", 96),
    ],
)
async def test_seconds_that_clocks_skip_are_not_sold(one_ctx: Context, zone: str, at: str, credited: int) -> None:
    acme = await tenant(await opened(one_ctx), "2024-03-04", zone=zone)
    sub = await start(acme, Start(plan="weekly"))
    acme = await on(acme, at)
    await cancel(acme, sub.id, now=True)
    assert await balance(acme, "credit") == -credited


async def test_a_tenant_that_moves_has_neither_gap_nor_overlap(one_ctx: Context) -> None:
    acme = await tenant(await opened(one_ctx), "2024-01-31T10:00", zone="America/Sao_Paulo")
    sub = await start(acme, Start(plan="metered"))
    for zone, at in (("Asia/Tokyo", "2024-04-10"), ("America/New_York", "2024-07-10"), ("Asia/Tokyo", "2024-09-10")):
        acme = of(acme, await set_zone(acme, zone))
        acme = await on(acme, at)
        await used(acme, 291, ms(at, zone))
    acme = await on(acme, "2025-01-31T11:00")
    found = await periods(acme, sub.id)
    assert len(found) == 13
    assert all(first[1] == second[0] for first, second in pairwise(found))
    assert local(acme, found[-1][0]) == "2025-01-31 10:00"
    usage = [line.quantity for one in await invoices(acme) for line in one.lines if line.kind == "usage"]
    assert usage == ["1", "1", "1"]
    await proven(acme)


async def test_several_subscriptions_each_with_periods_of_its_own(one_ctx: Context) -> None:
    acme = await tenant(await opened(one_ctx), "2024-01-10")
    monthly = await start(acme, Start(plan="metered"))
    acme = await on(acme, "2024-01-15")
    weekly = await start(acme, Start(plan="weekly"))
    yearly = await start(acme, Start(plan="yearly", calendar=True))
    await used(acme, 390, "2024-01-14")
    acme = await on(acme, "2024-03-01")
    by_id = {
        one.id: [bill for bill in await invoices(acme) if bill.subscription == one.id]
        for one in (monthly, weekly, yearly)
    }
    totals = {id_: [one.totals.total for one in found if one.totals] for id_, found in by_id.items()}
    assert totals[monthly.id] == [2900, 100 + 2900]
    assert totals[weekly.id] == [700] * 7
    assert totals[yearly.id] == [115410]  # 352 of 366 days: 115409.84
    assert (await tenants.find(acme, acme.tenant)).subscription == monthly.id
    await proven(acme)


async def test_an_outage_of_months_is_caught_up_period_by_period(ctx: Context) -> None:
    """Time passes and usage comes, but nobody closes anything; then a worker is there again."""
    acme, id_ = await subscribed(ctx, "2024-01-31", "metered")
    assert acme.scope
    for month in range(2, 7):
        away = of(acme, await tenants.set_clock(acme, "stopped", ms(f"2024-{month:02d}-15")))
        await used(away, 300 + month, ms(f"2024-{month:02d}-10"))
    assert len(await invoices(acme)) == 1
    assert await advance(away) > 0
    found = await invoices(acme)
    starts = ["2024-01-31", "2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"]
    assert [one.period_start for one in found] == [ms(at) for at in starts]
    assert [one.issued_at for one in found[1:]] == [one.period_end + HOUR_MS for one in found[1:]]
    quantities = [[line.quantity for line in one.lines if line.kind == "usage"] for one in found]
    assert quantities == [[], ["12"], ["13"], ["14"], ["15"]]  # of 302 to 305, 290 are included
    sub = await store.subscription(acme, id_)
    assert (sub.period_start, sub.period_end) == (ms("2024-05-31"), ms("2024-06-30"))
    assert [one.number for one in found] == [f"INV-{number:06d}" for number in range(1, 6)]
    await proven(acme)
