"""A subscription is cancelled, paused, resumed, ends by itself, returns: what is credited, charged and billed.

Cents are worked by hand: where nothing else is said the period is 18 February to 18 March 2024, 29 days, of which 22
are left on the 25th.
"""

from typing import Any

import pytest

from tests.billing.shop import (
    Told,
    balance,
    bills,
    credit_notes,
    invoices,
    ms,
    on,
    proven,
    subscribed,
    used,
)
from veloflux import tenants
from veloflux.billing import store
from veloflux.billing.subscriptions.cancel import cancel, pause, reactivate, resume, undo_cancel
from veloflux.billing.subscriptions.change import ChangeSubscription, change, preview
from veloflux.billing.subscriptions.start import Start, start
from veloflux.context import Context
from veloflux.errors import Conflict, InputInvalid, MoveImpossible

CREDITED: dict[str, tuple[dict[str, Any], str, int]] = {
    # what: (start, when it is cancelled, what goes to the wallet)
    "22 of 29 days of 100: 7586.21": ({"plan": "hundred"}, "2024-02-25", 7586),
    "at once: all of it": ({"plan": "hundred"}, "2024-02-18", 10000),
    "in the last second: 0.004 is nothing": ({"plan": "hundred"}, "2024-03-17T23:59:59", 0),
    "seats and base, each rounded: 758.62 and 6600.00": ({"plan": "team"}, "2024-02-25", 759 + 6600),
    "with an add-on: 1517.24 more": ({"plan": "hundred", "add_ons": {"support": 1}}, "2024-02-25", 7586 + 1517),
    "half off: of what was paid, 3793.10": ({"plan": "hundred", "coupons": ("half",)}, "2024-02-25", 3793),
    "ten off, at once: no more than was paid": ({"plan": "hundred", "coupons": ("ten",)}, "2024-02-18", 9000),
    "nothing was paid": ({"plan": "hundred", "coupons": ("lot",)}, "2024-02-25", 0),
    "free": ({"plan": "free"}, "2024-02-25", 0),
    "a set-up fee stays": ({"plan": "trial", "trial_days": 0}, "2024-02-18", 3000),
    "in a trial": ({"plan": "trial"}, "2024-02-25", 0),
    "by the calendar, 5 of 29 days: 1724.14": ({"plan": "hundred", "calendar": True}, "2024-02-25", 1724),
    "a year, 359 of 366 days: 117704.92": ({"plan": "yearly"}, "2024-02-25", 117705),
}


@pytest.mark.parametrize(("begun", "at", "credited"), CREDITED.values(), ids=CREDITED)
async def test_cancelled_now_what_was_paid_for_the_rest_is_credited(
    one_ctx: Context, begun: dict[str, Any], at: str, credited: int
) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", **begun)
    before = len(await bills(acme))
    acme = await on(acme, at)
    sub = await cancel(acme, id_, now=True)
    assert (sub.status, sub.ended_at, sub.period_end) == ("cancelled", ms(at), ms(at))
    assert [note.to_wallet for note in await credit_notes(acme)] == ([credited] if credited else [])
    assert await balance(acme, "credit") == -credited
    acme = await on(acme, "2024-12-31")
    assert [one.total for one in (await bills(acme))[before:]] == ([0] if credited else [])
    assert (await tenants.find(acme, acme.tenant)).plan == "free"
    await proven(acme)


async def test_cancelled_now_without_a_credit(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "hundred")
    acme = await on(acme, "2024-02-25")
    await cancel(acme, id_, now=True, credit_unused=False)
    assert (await credit_notes(acme), await bills(acme)) == ([], [Told("start", [("fixed", 10000)], 10000)])


async def test_cancelled_at_the_end_it_runs_until_then_and_is_billed_no_more(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "hundred")
    acme = await on(acme, "2024-02-25")
    sub = await cancel(acme, id_)
    assert (sub.status, sub.cancel_at) == ("active", ms("2024-03-18"))
    acme = await on(acme, "2024-03-17T23:59:59")
    assert (await store.subscription(acme, id_)).status == "active"
    acme = await on(acme, "2024-06-01")
    sub = await store.subscription(acme, id_)
    assert (sub.status, sub.ended_at) == ("cancelled", ms("2024-03-18"))
    assert [one.total for one in await bills(acme)] == [10000]
    assert await credit_notes(acme) == []


async def test_usage_until_the_end_is_on_the_last_invoice(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "metered")
    acme = await on(acme, "2024-02-25")
    await used(acme, 100, "2024-02-24")
    await cancel(acme, id_, now=True)
    acme = await on(acme, "2024-02-25T00:30")  # within the hour of grace
    await used(acme, 50, "2024-02-24T12:00")
    await used(acme, 999, "2024-02-25T00:00:01")
    acme = await on(acme, "2024-02-25T01:00")
    # 7 of 29 days include 70 of 290 requests; 22 of 29 days of 29.00 are unused
    assert (await bills(acme))[-1] == Told("end", [("usage", 80), ("credit", -2200), ("balance", 2120)], 0)
    await proven(acme)


async def test_an_undone_cancellation_lets_it_go_on(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "hundred")
    await cancel(acme, id_)
    sub = await undo_cancel(acme, id_)
    assert sub.cancel_at is None
    with pytest.raises(MoveImpossible):
        await undo_cancel(acme, id_)
    acme = await on(acme, "2024-03-18")
    assert [one.total for one in await bills(acme)] == [10000, 10000]


async def test_a_year_instead_of_a_month_moves_a_planned_end_to_the_years(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "hundred")
    await cancel(acme, id_)
    acme = await on(acme, "2024-02-25")
    sub = await change(acme, id_, ChangeSubscription(plan="yearly"))
    assert sub.cancel_at == sub.period_end == ms("2025-02-25")
    acme = await on(acme, "2025-03-01")
    sub = await store.subscription(acme, id_)
    assert (sub.status, sub.ended_at) == ("cancelled", ms("2025-02-25"))


async def test_a_trial_that_is_cancelled_costs_nothing(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "trial")
    await cancel(acme, id_)
    acme = await on(acme, "2024-06-01")
    sub = await store.subscription(acme, id_)
    assert (sub.status, sub.ended_at, await invoices(acme)) == ("cancelled", ms("2024-03-03"), [])


async def test_paused_it_costs_nothing_and_resumed_it_begins_a_period(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "hundred")
    acme = await on(acme, "2024-02-25")
    sub = await pause(acme, id_)
    assert (sub.status, sub.paused_at) == ("paused", ms("2024-02-25"))
    assert await balance(acme, "credit") == -7586
    acme = await on(acme, "2024-05-31T08:00")
    assert len(await bills(acme)) == 2
    sub = await resume(acme, id_)
    assert (sub.status, sub.paused_at, sub.period, sub.period_start) == ("active", None, 0, ms("2024-05-31T08:00"))
    last = (await invoices(acme))[-1]
    assert (last.reason, last.credit, last.due) == ("start", 7586, 10000 - 7586)
    acme = await on(acme, "2024-07-01")
    assert (await store.subscription(acme, id_)).period_end == ms("2024-07-31T08:00")  # 30 June, then the 31st again
    await proven(acme)


async def test_paused_without_a_credit(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "hundred")
    acme = await on(acme, "2024-02-25")
    await pause(acme, id_, credit_unused=False)
    assert await credit_notes(acme) == []


async def test_what_is_used_while_it_is_paused_is_billed_by_nobody(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "metered")
    acme = await on(acme, "2024-02-25")
    await used(acme, 100, "2024-02-24")
    await pause(acme, id_)
    acme = await on(acme, "2024-02-25T00:30")
    await used(acme, 500, "2024-02-25T00:10")
    acme = await on(acme, "2024-02-25T01:00")
    # 7 of 29 days include 70 requests
    assert (await bills(acme))[-1].lines == [("usage", 30), ("credit", -2200), ("balance", 2170)]
    acme = await on(acme, "2024-04-18")
    await used(acme, 700, "2024-04-10")
    await resume(acme, id_)
    acme = await on(acme, "2024-05-18T01:00")
    assert (await bills(acme))[-1].lines == [("fixed", 2900)]
    await proven(acme)


@pytest.mark.parametrize("wanted", [{"ends_at": ms("2024-05-01")}, {}], ids=["as agreed", "as planned"])
async def test_an_end_comes_also_while_it_is_paused(one_ctx: Context, wanted: dict[str, Any]) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "hundred", **wanted)
    if not wanted:
        await cancel(acme, id_)
    acme = await on(acme, "2024-02-25")
    await pause(acme, id_)
    acme = await on(acme, "2024-08-01")
    sub = await store.subscription(acme, id_)
    ended = ("expired", ms("2024-05-01")) if wanted else ("cancelled", ms("2024-03-18"))
    assert (sub.status, sub.ended_at) == ended
    with pytest.raises(MoveImpossible):
        await resume(acme, id_)
    await proven(acme)


async def test_an_agreed_end_ends_it_with_a_shorter_last_period(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "hundred", ends_at=ms("2024-03-30"))
    acme = await on(acme, "2024-06-01")
    sub = await store.subscription(acme, id_)
    assert (sub.status, sub.ended_at) == ("expired", ms("2024-03-30"))
    assert [one.total for one in await bills(acme)] == [10000, 3871]  # 12 of 31 days: 3870.97
    assert (await tenants.find(acme, acme.tenant)).subscription == ""
    await proven(acme)


async def test_an_agreed_end_lies_after_the_trial(one_ctx: Context) -> None:
    acme, _ = await subscribed(one_ctx, "2024-02-18", "free")
    with pytest.raises(InputInvalid):
        await start(acme, Start(plan="trial", ends_at=ms("2024-03-02")))


@pytest.mark.parametrize("at", ["2024-02-25", "2024-07-31"], ids=["at once", "months later"])
async def test_what_has_ended_returns_with_what_it_had(one_ctx: Context, at: str) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "team", quantities={"seats": 1}, coupons=("tenth",))
    acme = await on(acme, "2024-02-25")
    await cancel(acme, id_, now=True)
    acme = await on(acme, at)
    sub = await reactivate(acme, id_)
    assert (sub.status, sub.ended_at, sub.period_start) == ("active", None, ms(at))
    last = (await invoices(acme))[-1]
    assert last.totals
    # 39.00 less a tenth; 22 of 29 days of 9.00 and 26.10 are in the wallet: 682.76 and 1980.00
    assert (last.reason, last.totals.total, last.credit) == ("start", 3510, 683 + 1980)
    assert (await tenants.find(acme, acme.tenant)).subscription == id_
    await proven(acme)


async def test_all_at_one_moment_of_a_clock_that_stands_still(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "metered")
    await used(acme, 1000, "2024-02-18")
    await cancel(acme, id_, now=True)
    await reactivate(acme, id_)
    await pause(acme, id_)
    await resume(acme, id_)
    await cancel(acme, id_, now=True)
    acme = await on(acme, "2024-02-18T01:00")
    assert (await balance(acme, "receivable"), await balance(acme, "credit")) == (3 * 2900, -3 * 2900)
    await proven(acme)


async def test_a_meter_has_one_subscription_that_charges_for_it(one_ctx: Context) -> None:
    acme, first = await subscribed(one_ctx, "2024-02-18", "metered")
    with pytest.raises(Conflict):
        await start(acme, Start(plan="tiered"))
    other = await start(acme, Start(plan="hundred"))
    for wanted in (ChangeSubscription(plan="tiered"), ChangeSubscription(plan="tiered", when="period_end")):
        for attempt in (change, preview):
            with pytest.raises(Conflict):
                await attempt(acme, other.id, wanted)
    await cancel(acme, first, now=True)
    await change(acme, other.id, ChangeSubscription(plan="tiered", when="now"))
    with pytest.raises(Conflict):
        await reactivate(acme, first)
