"""Usage that comes when its subscription runs no more: each 30 days it has an invoice, where it makes a difference.
`tiered` asks 1.00 for each of the first 100 requests of a period, then 0.50; `metered` includes 290."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.billing.shop import Told, bills, invoices, ms, on, opened, proven, subscribed, tenant, used
from tests.customers import of
from tests.identity.mails import work
from veloflux import tenants
from veloflux.billing import advance, store
from veloflux.billing.agenda import Item
from veloflux.billing.invoices.bill_late import LATE, bill_late
from veloflux.billing.subscriptions.cancel import cancel, pause, reactivate, resume
from veloflux.billing.subscriptions.start import Start, start
from veloflux.context import Context
from veloflux.db import keys, streams

FIXED = [("fixed", 5000)]


async def cancel_now(ctx: Context, id_: str) -> None:
    await cancel(ctx, id_, now=True)


async def planned(ctx: Context, id_: str) -> float | None:
    """When late usage of a subscription is looked for next."""
    found = await ctx.db.call("ZSCORE", keys.agenda(ctx.tenant), f"{LATE}/{id_}")
    return None if found is None else float(found)


async def late(ctx: Context) -> list[Told]:
    return [one for one in await bills(ctx) if one.reason == "late"]


@pytest.mark.parametrize("stop", [cancel_now, pause])
async def test_of_a_period_that_was_broken_off(
    one_ctx: Context, stop: Callable[[Context, str], Awaitable[object]]
) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-01", "tiered")
    acme = await on(acme, "2024-02-11")
    await used(acme, 90, "2024-02-10")
    await stop(acme, id_)
    acme = await on(acme, "2024-02-12")
    await used(acme, 30, "2024-02-05")
    await used(acme, 7, "2024-02-11T12:00")  # when it was over: nobody's
    acme = await on(acme, "2024-03-11T23:59")
    assert await late(acme) == []
    acme = await on(acme, "2024-03-13")
    assert await late(acme) == [Told("late", [("adjustment", 1000 + 1000)], 2000)]
    [invoice] = [one for one in await invoices(acme) if one.reason == "late"]
    assert (invoice.period_start, invoice.period_end) == (ms("2024-02-01"), ms("2024-02-11"))
    assert invoice.issued_at == ms("2024-03-12")
    acme = await on(acme, "2025-06-01")
    assert len(await late(acme)) == 1
    await proven(acme)


@pytest.mark.parametrize("ends", ["cancelled", "expired"])
async def test_of_the_last_period_and_of_those_before_it(one_ctx: Context, ends: str) -> None:
    wanted = {"ends_at": ms("2024-04-01")} if ends == "expired" else {}
    acme, id_ = await subscribed(one_ctx, "2024-02-01", "tiered", **wanted)
    acme = await on(acme, "2024-03-02")
    if not wanted:
        await cancel(acme, id_)
        acme = await on(acme, "2024-03-10")
    await used(acme, 100, "2024-03-01")
    acme = await on(acme, "2024-04-02")
    assert (await store.subscription(acme, id_)).status == ends
    await used(acme, 10, "2024-02-29T23:59:59")
    await used(acme, 20, "2024-03-31T23:59:59")
    acme = await on(acme, "2024-06-02")
    assert await late(acme) == [Told("late", [("adjustment", 1000), ("adjustment", 1000)], 2000)]
    await proven(acme)


async def test_each_batch_has_an_invoice_of_its_own(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-01", "tiered")
    await cancel(acme, id_)
    acme = await on(acme, "2024-03-05")
    await used(acme, 90, "2024-02-20")
    acme = await on(acme, "2024-03-30")
    await used(acme, 20, "2024-02-21", backfill=True)
    acme = await on(acme, "2024-04-15")
    assert await late(acme) == [Told("late", [("adjustment", 9000 + 1000 + 500)], 10500)], "of both, 30 days after"
    await used(acme, 10, "2024-02-22", backfill=True)
    acme = await on(acme, "2024-05-15")
    assert (await late(acme))[1:] == [Told("late", [("adjustment", 500)], 500)]
    await proven(acme)


async def test_what_costs_nothing_makes_no_invoice_but_counts_with_what_comes_later(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-01", "metered")
    await cancel(acme, id_)
    acme = await on(acme, "2024-03-05")
    await used(acme, 280, "2024-02-20")  # of 290 that are included
    before = await store.subscription(acme, id_)
    acme = await on(acme, "2024-04-15")
    assert await late(acme) == []
    assert await store.subscription(acme, id_) == before
    await used(acme, 25, "2024-02-20", backfill=True)
    acme = await on(acme, "2024-05-15")
    assert await late(acme) == [Told("late", [("adjustment", 15)], 15)]
    await proven(acme)


@pytest.mark.parametrize(("stop", "again"), [(cancel_now, reactivate), (pause, resume)])
async def test_where_it_runs_again_by_then_its_next_invoice_has_it(
    one_ctx: Context,
    stop: Callable[[Context, str], Awaitable[object]],
    again: Callable[[Context, str], Awaitable[object]],
) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-01", "tiered")
    acme = await on(acme, "2024-02-11")
    await stop(acme, id_)
    acme = await on(acme, "2024-02-20")
    await used(acme, 10, "2024-02-05")
    await again(acme, id_)
    assert await planned(acme, id_) is None
    await used(acme, 3, "2024-02-20")
    acme = await on(acme, "2024-04-02")
    assert await late(acme) == []
    found = [one.lines for one in await bills(acme) if one.reason == "period"]
    assert found == [[("usage", 300), ("adjustment", 1000), *FIXED]]
    await proven(acme)


async def test_one_that_runs_again_after_its_late_invoice_does_not_bill_it_twice(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-01", "tiered")
    acme = await on(acme, "2024-02-11")
    await pause(acme, id_)
    acme = await on(acme, "2024-02-12")
    await used(acme, 10, "2024-02-05")
    acme = await on(acme, "2024-03-20")
    await used(acme, 5, "2024-02-05", backfill=True)
    await resume(acme, id_)
    acme = await on(acme, "2024-05-01")
    adjusted = [line for one in await bills(acme) for line in one.lines if line[0] == "adjustment"]
    assert adjusted == [("adjustment", 1000), ("adjustment", 500)]
    await cancel(acme, id_, now=True)
    acme = await on(acme, "2024-09-01")
    assert adjusted == [line for one in await bills(acme) for line in one.lines if line[0] == "adjustment"]
    await proven(acme)


async def test_a_paused_one_that_is_cancelled_is_billed_as_if_it_had_ended_then(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-01", "tiered")
    acme = await on(acme, "2024-02-11")
    await pause(acme, id_)
    acme = await on(acme, "2024-02-20")
    await used(acme, 10, "2024-02-05")
    await cancel(acme, id_, now=True)
    acme = await on(acme, "2024-04-20")
    assert await late(acme) == [Told("late", [("adjustment", 1000)], 1000)]
    await proven(acme)


async def test_each_of_two_that_followed_one_another_on_a_meter_bills_its_own_time(one_ctx: Context) -> None:
    acme, first = await subscribed(one_ctx, "2024-02-01", "tiered")
    acme = await on(acme, "2024-02-15")
    await cancel(acme, first, now=True)
    second = await start(acme, Start(plan="cents"))
    acme = await on(acme, "2024-02-16")
    await used(acme, 10, "2024-02-14T23:59:59")
    await used(acme, 4, "2024-02-15")
    acme = await on(acme, "2024-03-15T02:00")
    await used(acme, 2, "2024-02-20")
    acme = await on(acme, "2024-03-20")
    await cancel(acme, second.id, now=True)
    await reactivate(acme, first)
    acme = await on(acme, "2024-03-21")
    await used(acme, 20, "2024-02-10", backfill=True)
    await used(acme, 30, "2024-02-20", backfill=True)
    acme = await on(acme, "2024-05-01")
    found = [
        ("A" if one.subscription == first else "B", one.reason, line.kind, line.amount)
        for one in await invoices(acme)
        for line in one.lines
        if line.kind in ("usage", "adjustment")
    ]
    assert found == [
        ("B", "period", "usage", 4),
        ("A", "late", "adjustment", 1000),
        ("B", "end", "adjustment", 2),
        ("B", "late", "adjustment", 30),
        ("A", "period", "adjustment", 2000),
    ]
    await proven(acme)


async def test_it_is_looked_for_as_long_as_it_counts(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-01", "tiered")
    await cancel(acme, id_)
    acme = await on(acme, "2024-03-02")
    assert await planned(acme, id_) == ms("2024-03-31")
    acme = await on(acme, "2025-03-25")  # 389 days after its end
    await used(acme, 10, "2024-02-20", backfill=True)
    acme = await on(acme, "2025-03-26")
    assert await late(acme) == [Told("late", [("adjustment", 1000)], 1000)]
    await used(acme, 10, "2024-02-20", backfill=True)
    acme = await on(acme, "2026-01-01")
    assert len(await late(acme)) == 1
    assert await planned(acme, id_) is None


async def test_one_that_charges_for_no_usage_is_not_looked_at(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-01", "hundred")
    await cancel(acme, id_, now=True)
    assert await planned(acme, id_) is None


async def test_of_a_trial_nothing_is_billed(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-01", "tiered", trial_days=60)
    acme = await on(acme, "2024-02-11")
    await cancel(acme, id_, now=True)
    acme = await on(acme, "2024-02-12")
    await used(acme, 10, "2024-02-05")
    acme = await on(acme, "2024-06-01")
    assert await bills(acme) == []


async def test_late_usage_of_a_year_is_billed_once(one_ctx: Context) -> None:
    """Its segment began more than 400 days ago and is still known to metering."""
    acme, id_ = await subscribed(one_ctx, "2024-01-01", "tiered_year")
    acme = await on(acme, "2025-01-05")
    await used(acme, 10, "2024-12-20")
    acme = await on(acme, "2025-02-10")
    await pause(acme, id_)  # the first year's invoice is followed by this one
    acme = await on(acme, "2025-02-20")
    await resume(acme, id_)
    acme = await on(acme, "2025-03-01")
    await cancel(acme, id_, now=True)
    acme = await on(acme, "2026-06-01")
    adjusted = [line for one in await bills(acme) for line in one.lines if line[0] == "adjustment"]
    assert adjusted == [("adjustment", 1000)]
    await proven(acme)


async def test_workers_at_the_same_time_make_one_invoice(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-01", "tiered")
    await cancel(acme, id_)
    acme = await on(acme, "2024-03-05")
    await used(acme, 10, "2024-02-20")
    moved = of(acme, await tenants.set_clock(acme, "stopped", ms("2024-04-01")))
    await asyncio.gather(*(advance(moved) for _ in range(5)))
    assert await late(acme) == [Told("late", [("adjustment", 1000)], 1000)]
    assert await planned(acme, id_) == ms("2024-04-30")
    await proven(acme)


async def test_a_worker_that_comes_too_late_bills_nothing_again(one_ctx: Context) -> None:
    """It read the item, and another one did it, or the subscription runs again."""
    acme, id_ = await subscribed(one_ctx, "2024-02-01", "tiered")
    await cancel(acme, id_)
    acme = await on(acme, "2024-03-05")
    await used(acme, 10, "2024-02-20")
    acme = await on(acme, "2024-04-02")
    item = Item(LATE, id_, ms("2024-03-31"))
    await bill_late(acme.at(item.due), item)
    assert len(await late(acme)) == 1
    assert await planned(acme, id_) == ms("2024-04-30")
    await reactivate(acme, id_)
    await bill_late(acme.at(item.due), item)
    assert await planned(acme, id_) is None
    await proven(acme)


async def test_months_at_once_are_as_months_one_by_one(one_ctx: Context) -> None:
    lives = []
    for steps in (["2024-06-15"], ["2024-03-31", "2024-04-10", "2024-05-01", "2024-06-15"]):
        acme = await tenant(await opened(one_ctx), "2024-02-01", name=f"Acme {len(lives)}")
        await cancel(acme, (await start(acme, Start(plan="tiered"))).id)
        acme = await on(acme, "2024-03-05")
        await used(acme, 10, "2024-02-20")
        for step in steps:
            acme = await on(acme, step)
        found = [(one.number, one.issued_at, one.lines, one.totals) for one in await invoices(acme)]
        names = [event.name for event in await streams.after(acme.db, acme.tenant, "", 1_000)]
        lives.append((found, [name for name in names if name != "tenant.clock_set"]))
    assert lives[0] == lives[1]


@pytest.mark.parametrize("archive", [False, True])
async def test_what_came_before_a_tenant_left_is_billed(one_ctx: Context, archive: bool) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-01", "tiered")
    acme = await on(acme, "2024-02-11")
    await cancel(acme, id_, now=True)
    acme = await on(acme, "2024-02-12")
    await used(acme, 10, "2024-02-05")
    if archive:
        await tenants.archive_tenant(acme)
    else:
        await tenants.delete_tenant(acme, (await tenants.find(acme, acme.tenant)).slug)
    await work(acme)
    acme = await on(acme, "2024-03-13")
    assert await late(acme) == [Told("late", [("adjustment", 1000)], 1000)]
    await proven(acme)
