"""A trial ends later or earlier than was agreed, or now: what is billed then, to the cent, and what follows."""

import asyncio
from typing import Any

import pytest

from tests.billing.shop import Told, bills, invoices, ms, on, proven, subscribed, used
from tests.customers import of
from tests.identity.mails import work
from veloflux import billing, tenants
from veloflux.billing import store
from veloflux.billing.spend.limits import SpendLimits, limit_spend
from veloflux.billing.subscriptions.cancel import cancel, undo_cancel
from veloflux.billing.subscriptions.trial import set_trial_end
from veloflux.context import Context
from veloflux.errors import InputInvalid, MoveImpossible
from veloflux.plans import find_overrides, find_schedule

CASES: dict[str, tuple[dict[str, Any], str | None, list[tuple[str, int]], str]] = {
    # what, begun on 1 February 2024, the end set on the 6th: (start, new end, first lines, end of the first period)
    "later: a whole month from there": (
        {"plan": "trial"},
        "2024-02-20T08:00",
        [("setup", 5000), ("fixed", 3000)],
        "2024-03-20T08:00",
    ),
    "earlier": ({"plan": "trial"}, "2024-02-07", [("setup", 5000), ("fixed", 3000)], "2024-03-07"),
    "on the 31st: the last day of April follows": (
        {"plan": "trial"},
        "2024-03-31",
        [("setup", 5000), ("fixed", 3000)],
        "2024-04-30",
    ),
    "now: from this moment on": ({"plan": "trial"}, None, [("setup", 5000), ("fixed", 3000)], "2024-03-06"),
    "on the 15th, billed on the 1st: 15 of 29 days of 100 are 51.72": (
        {"plan": "hundred", "trial_days": 10, "billing_day": 1},
        "2024-02-15",
        [("fixed", 5172)],
        "2024-03-01",
    ),
    "now, billed on the 1st: 24 of 29 days are 82.76": (
        {"plan": "hundred", "trial_days": 10, "billing_day": 1},
        None,
        [("fixed", 8276)],
        "2024-03-01",
    ),
    "into the next month, billed on the 1st: 22 of 31 days are 70.97": (
        {"plan": "hundred", "trial_days": 10, "billing_day": 1},
        "2024-03-10",
        [("fixed", 7097)],
        "2024-04-01",
    ),
    "by the calendar, on the 20th: 10 of 29 days are 34.48": (
        {"plan": "hundred", "trial_days": 10, "calendar": True},
        "2024-02-20",
        [("fixed", 3448)],
        "2024-03-01",
    ),
    "weeks by the calendar, on a Thursday: 4 of 7 days of 7.00": (
        {"plan": "weekly", "trial_days": 10, "calendar": True},
        "2024-02-15",
        [("fixed", 400)],
        "2024-02-19",
    ),
    "half off, now": (
        {"plan": "hundred", "trial_days": 10, "coupons": ("half",)},
        None,
        [("fixed", 10000)],
        "2024-03-06",
    ),
    "an agreed end that cuts the first period: 10 of 29 days": (
        {"plan": "hundred", "trial_days": 10, "ends_at": ms("2024-03-01")},
        "2024-02-20",
        [("fixed", 3448)],
        "2024-03-01",
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_nothing_is_billed_before_the_new_end_and_the_first_period_at_it(one_ctx: Context, case: str) -> None:
    wanted, end, lines, period_end = CASES[case]
    acme, id_ = await subscribed(one_ctx, "2024-02-01", **wanted)
    acme = await on(acme, "2024-02-06")
    sub = await set_trial_end(acme, id_, end and ms(end))
    if end:
        assert (sub.status, sub.trial_end, sub.period_end) == ("trialing", ms(end), ms(end))
        acme = await on(acme, ms(end) - 1000)
        assert await invoices(acme) == []
        acme = await on(acme, end)
    [bill] = await bills(acme)
    assert (bill.reason, bill.lines) == ("period", lines)
    sub = await store.subscription(acme, id_)
    assert (sub.status, sub.period, sub.period_end) == ("active", 0, ms(period_end))
    assert sub.trial_end == sub.period_start == ms(end or "2024-02-06")
    acme = await on(acme, ms(period_end) - 1000)
    assert len(await bills(acme)) == 1
    await proven(acme)


async def test_ended_at_its_first_moment_it_is_billed_as_if_there_had_been_none(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-01-31", "trial")
    await set_trial_end(acme, id_, None)
    acme = await on(acme, "2024-03-01")
    assert await bills(acme) == [
        Told("period", [("setup", 5000), ("fixed", 3000)], 8000),
        Told("period", [("fixed", 3000)], 3000),
    ]
    await proven(acme)


async def test_it_can_be_set_again_and_again_until_it_is_over(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-01", "trial")
    for end in ("2024-03-01", "2024-02-10", "2026-01-31"):  # the last one: 730 days after it began
        await set_trial_end(acme, id_, ms(end))
    acme = await on(acme, "2025-12-31")
    assert await invoices(acme) == []
    await set_trial_end(acme, id_, ms("2026-01-02"))
    acme = await on(acme, "2026-01-02")
    assert [one.total for one in await bills(acme)] == [8000]
    with pytest.raises(MoveImpossible):
        await set_trial_end(acme, id_, ms("2026-01-31"))


async def test_usage_of_the_trial_costs_nothing_and_what_comes_after_it_does(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-01", "metered", trial_days=10)
    acme = await on(acme, "2024-02-06")
    await used(acme, 500, "2024-02-05")
    await set_trial_end(acme, id_, ms("2024-02-21"))
    acme = await on(acme, "2024-02-16")
    await used(acme, 500, "2024-02-15")  # after the end that was agreed first
    await set_trial_end(acme, id_, None)
    acme = await on(acme, "2024-02-22")
    await used(acme, 300, "2024-02-17")  # before the end that was set then
    acme = await on(acme, "2024-03-16T01:00")
    # of 300 requests 290 are included
    assert [one.lines for one in await bills(acme)] == [[("fixed", 2900)], [("usage", 10), ("fixed", 2900)]]
    await proven(acme)


@pytest.mark.parametrize("end", ["2024-02-29T10:00", "2024-02-10"])
async def test_usage_is_cut_where_the_trial_ends_now_and_not_where_it_was_to_end(one_ctx: Context, end: str) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-01-17T10:00", "trial")
    first = ms("2024-01-31T10:00")
    assert first in (await find_schedule(acme.db, acme.tenant)).cuts
    sub = await set_trial_end(acme, id_, ms(end))  # also where a period was to begin
    cuts = (await find_schedule(acme.db, acme.tenant)).cuts
    assert first not in cuts
    assert {ms(end), ms(end.replace("-02-", "-03-"))} <= {*cuts}
    assert await store.first_due(acme.db, acme.tenant) == (f"close/{id_}", sub.period_end)


async def test_a_planned_cancellation_comes_with_the_new_end(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "trial")
    await cancel(acme, id_)
    sub = await set_trial_end(acme, id_, ms("2024-03-20"))
    assert sub.cancel_at == ms("2024-03-20")
    acme = await on(acme, "2024-03-19")
    assert (await store.subscription(acme, id_)).status == "trialing"
    acme = await on(acme, "2024-06-01")
    sub = await store.subscription(acme, id_)
    assert (sub.status, sub.ended_at, await invoices(acme)) == ("cancelled", ms("2024-03-20"), [])


async def test_a_planned_cancellation_that_was_undone_stays_undone(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "trial")
    await cancel(acme, id_)
    await undo_cancel(acme, id_)
    assert (await set_trial_end(acme, id_, ms("2024-03-20"))).cancel_at is None


async def test_ended_now_a_trial_that_was_to_be_cancelled_is_cancelled_now(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "trial")
    await cancel(acme, id_)
    acme = await on(acme, "2024-02-25")
    sub = await set_trial_end(acme, id_, None)
    assert (sub.status, sub.ended_at, await invoices(acme)) == ("cancelled", ms("2024-02-25"), [])
    assert await store.first_due(acme.db, acme.tenant) is None


BAD: dict[str, str] = {
    "before now": "2024-02-24",
    "now, by its time": "2024-02-25",
    "more than 730 days after it began": "2026-02-17T00:00:01",
    "as it ends": "2024-12-24",
    "after it ends": "2025-01-01",
}


@pytest.mark.parametrize("end", BAD.values(), ids=BAD)
async def test_a_time_out_of_order_is_refused(one_ctx: Context, end: str) -> None:
    ends_at = None if end > "2026" else ms("2024-12-24")
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "trial", ends_at=ends_at)
    acme = await on(acme, "2024-02-25")
    before = await store.subscription(acme, id_)
    with pytest.raises(InputInvalid) as found:
        await set_trial_end(acme, id_, ms(end))
    assert found.value.extra["field"] == "at"
    assert await store.subscription(acme, id_) == before


@pytest.mark.parametrize("end", [ms("2024-04-01"), None], ids=["later", "now"])
async def test_a_trial_whose_end_has_passed_is_over_though_nobody_billed_it_yet(
    one_ctx: Context, end: int | None
) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "trial")
    late = of(acme, await tenants.set_clock(acme, "stopped", ms("2024-03-05")))
    with pytest.raises(MoveImpossible):
        await set_trial_end(late, id_, end)
    await billing.advance(late)
    sub = await store.subscription(late, id_)
    assert (sub.status, sub.period_start) == ("active", ms("2024-03-03"))


async def test_what_its_usage_may_cost_is_bounded_as_soon_as_the_trial_ends(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-01", "metered", trial_days=10)
    await limit_spend(acme, id_, SpendLimits(meter_caps={"requests": 10}))
    await work(acme)
    await set_trial_end(acme, id_, None)
    await work(acme)
    overrides = await find_overrides(acme.db, acme.tenant)
    assert overrides
    # 290 are included, and ten cents pay for ten more
    assert [(cap.meter, cap.limit, cap.until) for cap in overrides.caps.values()] == [
        ("requests", 300, ms("2024-03-01"))
    ]


async def test_many_who_end_a_trial_at_once_bill_it_once(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-01", "trial")
    said = await asyncio.gather(*(set_trial_end(acme, id_, None) for _ in range(5)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in said) == ["MoveImpossible"] * 4 + ["Subscription"]
    assert [one.total for one in await bills(acme)] == [8000]
    await proven(acme)


async def test_of_two_who_set_it_at_once_one_counts_for_everything(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-01", "trial")
    ends = [ms("2024-02-20"), ms("2024-02-25")]
    await asyncio.gather(*(set_trial_end(acme, id_, end) for end in ends))
    sub = await store.subscription(acme, id_)
    assert sub.period_end in ends
    assert sub.anchor == ("2024-02-20T00:00:00" if sub.period_end == ends[0] else "2024-02-25T00:00:00")
    assert await store.first_due(acme.db, acme.tenant) == (f"close/{id_}", sub.period_end)
    assert sorted({*ends} & {*(await find_schedule(acme.db, acme.tenant)).cuts}) == [sub.period_end]


@pytest.mark.parametrize("_", range(5))
async def test_a_trial_that_is_prolonged_while_a_worker_ends_it_either_goes_on_or_is_billed(
    one_ctx: Context, _: int
) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-01", "trial")
    due = of(acme, await tenants.set_clock(acme, "stopped", ms("2024-02-15")))
    said, done = await asyncio.gather(
        set_trial_end(acme, id_, ms("2024-03-01")), billing.advance(due), return_exceptions=True
    )
    assert not isinstance(done, BaseException), done
    sub = await store.subscription(due, id_)
    found = (sub.status, sub.trial_end, len(await invoices(due)))
    if isinstance(said, MoveImpossible):
        assert found == ("active", ms("2024-02-15"), 1)
    else:
        assert found == ("trialing", ms("2024-03-01"), 0)
    assert await store.first_due(due.db, due.tenant) == (f"close/{id_}", sub.period_end)
