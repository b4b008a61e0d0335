"""A subscription is changed: the lines that this brings, now or later, and that the preview said so. Cents are worked
by hand: where nothing else is said the period is 18 February to 18 March 2024, 29 days, of which 22 are left on the
25th."""

import itertools
from typing import Any

import pytest
from msgspec.structs import replace

from tests.billing.shop import (
    SHOP,
    Told,
    balance,
    bills,
    invoices,
    ms,
    on,
    opened,
    proven,
    subscribed,
    tenant,
    told,
    used,
)
from tests.customers import of
from veloflux import tenants
from veloflux.billing.subscriptions.cancel import cancel
from veloflux.billing.subscriptions.change import ChangeSubscription, change, preview
from veloflux.billing.subscriptions.start import Start, start
from veloflux.context import Context
from veloflux.kit import clock

Lines = list[tuple[str, int]]
NOW: dict[str, tuple[dict[str, Any], dict[str, Any], str, Lines, int]] = {
    # what: (start, change, when, lines, what goes to the wallet or is to be paid)
    "the issue's example: 100 to 300 on day 8 of 29": (
        {"plan": "hundred"},
        {"plan": "three"},
        "2024-02-25",
        [("credit", -7586), ("debit", 22759)],
        15173,
    ),
    "300 to 100 now: the rest goes to the wallet": (
        {"plan": "three"},
        {"plan": "hundred", "when": "now"},
        "2024-02-25",
        [("credit", -22759), ("debit", 7586), ("balance", 15173)],
        -15173,
    ),
    "free to paid writes no zero line": ({"plan": "free"}, {"plan": "three"}, "2024-02-25", [("debit", 22759)], 22759),
    "paid to free writes no zero line": (
        {"plan": "three"},
        {"plan": "free", "when": "now"},
        "2024-02-25",
        [("credit", -22759), ("balance", 22759)],
        -22759,
    ),
    "at the very start: all of it": (
        {"plan": "hundred"},
        {"plan": "three"},
        "2024-02-18",
        [("credit", -10000), ("debit", 30000)],
        20000,
    ),
    "in the last second: 0.004 and 0.012 are nothing": (
        {"plan": "hundred"},
        {"plan": "three"},
        "2024-03-17T23:59:59",
        [("debit", 0)],
        0,
    ),
    "in the last minute: 0.24 and 0.72 cents round to 0 and 1": (
        {"plan": "hundred"},
        {"plan": "three"},
        "2024-03-17T23:59:00",
        [("debit", 1)],
        1,
    ),
    "by the second, 21.375 of 29 days: 7370.69 and 22112.07": (
        {"plan": "hundred"},
        {"plan": "three"},
        "2024-02-25T15:00",
        [("credit", -7371), ("debit", 22112)],
        14741,
    ),
    "3 to 5 seats of 29: only they change": (
        {"plan": "team"},
        {"quantities": {"seats": 5}},
        "2024-02-25",
        [("credit", -6600), ("debit", 11000)],
        4400,
    ),
    "3 to 1 seats now": (
        {"plan": "team"},
        {"quantities": {"seats": 1}, "when": "now"},
        "2024-02-25",
        [("credit", -6600), ("debit", 2200), ("balance", 4400)],
        -4400,
    ),
    "an add-on of 20 more: 1517.24": (
        {"plan": "hundred"},
        {"add_ons": {"support": 1}},
        "2024-02-25",
        [("debit", 1517)],
        1517,
    ),
    "an add-on less": (
        {"plan": "hundred", "add_ons": {"support": 1}},
        {"add_ons": {}, "when": "now"},
        "2024-02-25",
        [("credit", -1517), ("balance", 1517)],
        -1517,
    ),
    "plan and add-on at once": (
        {"plan": "hundred", "add_ons": {"support": 1}},
        {"plan": "three", "add_ons": {"support": 2}},
        "2024-02-25",
        [("credit", -7586), ("credit", -1517), ("debit", 22759), ("debit", 3034)],
        16690,
    ),
    "the same again changes nothing": ({"plan": "hundred"}, {"plan": "hundred"}, "2024-02-25", [], 0),
    "a tenth off for ever: of 90 and 270": (
        {"plan": "hundred", "coupons": ("tenth",)},
        {"plan": "three"},
        "2024-02-25",
        [("credit", -6828), ("debit", 20483)],
        13655,
    ),
    "half off once: credit of what was paid, the new price is whole": (
        {"plan": "hundred", "coupons": ("half",)},
        {"plan": "three"},
        "2024-02-25",
        [("credit", -3793), ("debit", 22759)],
        18966,
    ),
    "ten off: 90 were paid, so 75.86 can be credited; an amount is off an invoice, not off a price": (
        {"plan": "hundred", "coupons": ("ten",)},
        {"plan": "three"},
        "2024-02-25",
        [("credit", -7586), ("debit", 22759)],
        15173,
    ),
    "ten off, at once: no more is credited than the 90 that were paid": (
        {"plan": "hundred", "coupons": ("ten",)},
        {"plan": "three"},
        "2024-02-18",
        [("credit", -9000), ("debit", 30000)],
        21000,
    ),
    "nothing was paid, nothing is credited": (
        {"plan": "hundred", "coupons": ("lot",)},
        {"plan": "three"},
        "2024-02-25",
        [("debit", 22759)],
        22759,
    ),
    "a month to a year: what is left of it, and a whole year": (
        {"plan": "hundred"},
        {"plan": "yearly"},
        "2024-02-25",
        [("credit", -7586), ("fixed", 120000)],
        112414,
    ),
    "a year to a month: 359 of 366 days, 117704.92": (
        {"plan": "yearly"},
        {"plan": "hundred"},
        "2024-02-25",
        [("credit", -117705), ("fixed", 10000), ("balance", 107705)],
        -107705,
    ),
    "by the calendar, 19 of 29 days paid, 5 left: 1724.14 and 5172.41": (
        {"plan": "hundred", "calendar": True},
        {"plan": "three"},
        "2024-02-25",
        [("credit", -1724), ("debit", 5172)],
        3448,
    ),
    "until an agreed end: 4 days left of a month of 29, 1379.31 and 4137.93": (
        {"plan": "hundred", "ends_at": ms("2024-02-29")},
        {"plan": "three"},
        "2024-02-25",
        [("credit", -1379), ("debit", 4138)],
        2759,
    ),
}


async def last_bill(acme: Context, before: int) -> Told | None:
    found = await bills(acme)
    assert len(found) <= before + 1
    return found[-1] if len(found) > before else None


@pytest.mark.parametrize("case", NOW)
async def test_a_change_now_is_invoiced_as_the_preview_said(one_ctx: Context, case: str) -> None:
    begun, wanted, at, lines, asked = NOW[case]
    acme, id_ = await subscribed(one_ctx, "2024-02-18", **begun)
    lines = [line for line in lines if line[1]]
    said = await preview(acme, id_, ChangeSubscription(**wanted), ms(at))
    acme = await on(acme, at)
    assert await preview(acme, id_, ChangeSubscription(**wanted)) == said
    before = len(await bills(acme))
    await change(acme, id_, ChangeSubscription(**wanted))
    made = await last_bill(acme, before)
    assert made == (Told("change", lines, max(asked, 0)) if lines else None)
    assert [(line.kind, line.amount) for line in said.lines] == lines
    assert (said.totals.net, said.to_wallet) == (max(asked, 0), max(-asked, 0))
    assert await balance(acme, "credit") == min(asked, 0)
    await proven(acme)


async def test_by_the_day_the_day_of_the_change_has_the_new_price(one_ctx: Context) -> None:
    acme = await tenant(await opened(one_ctx), "2024-02-18T09:00", zone="America/New_York", proration="day")
    sub = await start(acme, Start(plan="hundred"))
    acme = await on(acme, "2024-02-25T23:59:59")
    await change(acme, sub.id, ChangeSubscription(plan="three"))
    assert (await bills(acme))[-1] == Told("change", [("credit", -7586), ("debit", 22759)], 15173)
    acme = await on(acme, "2024-03-17T00:00")
    await change(acme, sub.id, ChangeSubscription(plan="hundred", when="now"))
    # 17 March is the last day of the period: 1 of 29, 1034.48 and 344.83
    assert (await bills(acme))[-1].lines == [("credit", -1034), ("debit", 345), ("balance", 689)]
    await proven(acme)


async def test_a_downgrade_holds_from_the_next_period_on(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "three")
    acme = await on(acme, "2024-02-25")
    said = await preview(acme, id_, ChangeSubscription(plan="hundred"))
    assert (said.when, said.holds_from) == ("period_end", ms("2024-03-18"))
    sub = await change(acme, id_, ChangeSubscription(plan="hundred"))
    assert sub.next_selection
    assert (sub.selection.plan, sub.next_selection.plan) == ("three", "hundred")
    acme = await on(acme, "2024-03-18")
    assert await bills(acme) == [Told("start", [("fixed", 30000)], 30000), Told("period", [("fixed", 10000)], 10000)]
    assert [(line.kind, line.amount) for line in said.lines] == [("fixed", 10000)]
    assert said.lines == (await invoices(acme))[-1].lines


async def test_fewer_seats_hold_from_the_next_period_on(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "team")
    await change(acme, id_, ChangeSubscription(quantities={"seats": 1}))
    acme = await on(acme, "2024-03-18")
    assert [one.total for one in await bills(acme)] == [9700, 3900]


async def test_a_scheduled_change_is_undone_by_the_present_plan(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "three")
    await change(acme, id_, ChangeSubscription(plan="hundred"))
    sub = await change(acme, id_, ChangeSubscription(plan="three"))
    assert sub.next_selection is None
    acme = await on(acme, "2024-03-18")
    assert [one.total for one in await bills(acme)] == [30000, 30000]


@pytest.mark.parametrize("plan", ["hundred", "waits"], ids=["when asked for", "as the plan says"])
async def test_a_change_on_the_next_invoice_holds_now_and_waits(one_ctx: Context, plan: str) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", plan)
    acme = await on(acme, "2024-02-25")
    when = "next_invoice" if plan == "hundred" else None
    said = await preview(acme, id_, ChangeSubscription(plan="three", when=when))
    assert said.when == "next_invoice"
    sub = await change(acme, id_, ChangeSubscription(plan="three", when=when))
    assert (sub.selection.plan, sub.waiting, len(await bills(acme))) == ("three", said.lines, 1)
    acme = await on(acme, "2024-03-18")
    lines = [("fixed", 30000), ("credit", -7586), ("debit", 22759)]
    assert (await bills(acme))[1:] == [Told("period", lines, 45173)]
    acme = await on(acme, "2024-04-18")
    assert (await bills(acme))[2:] == [Told("period", [("fixed", 30000)], 30000)]


async def test_what_waits_is_on_the_last_invoice_of_what_is_cancelled(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "hundred")
    acme = await on(acme, "2024-02-25")
    await change(acme, id_, ChangeSubscription(plan="three", when="next_invoice"))
    await cancel(acme, id_)
    acme = await on(acme, "2024-03-18")
    assert (await bills(acme))[1:] == [Told("end", [("credit", -7586), ("debit", 22759)], 15173)]


async def test_twice_in_one_period(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "hundred")
    acme = await on(acme, "2024-02-25")
    await change(acme, id_, ChangeSubscription(plan="three"))
    acme = await on(acme, "2024-03-03")
    await change(acme, id_, ChangeSubscription(plan="hundred", when="now"))
    # 15 of 29 days: 15517.24 and 5172.41
    assert (await bills(acme))[-1].lines == [("credit", -15517), ("debit", 5172), ("balance", 10345)]
    acme = await on(acme, "2024-03-18")
    last = (await invoices(acme))[-1]
    assert (told(last).total, last.credit, last.status) == (10000, 10000, "paid")
    assert await balance(acme, "credit") == -345
    await proven(acme)


async def test_several_changes_at_one_moment_of_a_clock_that_stands_still(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "hundred")
    acme = await on(acme, "2024-02-25")
    for plan in ("three", "hundred", "three"):
        await change(acme, id_, ChangeSubscription(plan=plan, when="now"))
    up = [("credit", -7586), ("debit", 22759)]
    down = [("credit", -22759), ("debit", 7586), ("balance", 15173)]
    assert [one.lines for one in (await bills(acme))[1:]] == [up, down, up]
    assert await balance(acme, "receivable") == 10000 + 15173
    await proven(acme)


async def test_in_a_trial_a_change_costs_nothing(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-01", "trial")
    said = await preview(acme, id_, ChangeSubscription(plan="hundred"))
    assert (said.when, said.lines) == ("now", ())
    sub = await change(acme, id_, ChangeSubscription(plan="hundred"))
    assert (sub.status, sub.selection.plan) == ("trialing", "hundred")
    acme = await on(acme, "2024-02-15")
    assert await bills(acme) == [Told("period", [("fixed", 10000)], 10000)]


async def test_a_month_becomes_a_year_that_is_counted_from_the_change(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-01-31", "hundred")
    acme = await on(acme, "2024-02-25")
    sub = await change(acme, id_, ChangeSubscription(plan="yearly"))
    assert (sub.period, sub.period_start, sub.period_end) == (0, ms("2024-02-25"), ms("2025-02-25"))
    acme = await on(acme, "2025-02-25")
    assert [one.total for one in await bills(acme)] == [10000, 120000 - 1379, 120000]  # 4 of 29 days were left
    await proven(acme)


async def test_what_is_paid_afterwards_is_paid_by_its_share(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "after")
    acme = await on(acme, "2024-02-25")
    await change(acme, id_, ChangeSubscription(quantities={"desks": 3}))
    assert await bills(acme) == []
    acme = await on(acme, "2024-03-18")
    # 29 for 7 of 29 days, 87 for 22 of them
    assert await bills(acme) == [Told("period", [("fixed", 700), ("fixed", 6600)], 7300)]


async def test_a_change_of_seats_leaves_the_price_of_usage_alone(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "metered")
    acme = await on(acme, "2024-02-20")
    await used(acme, 300, "2024-02-19")
    acme = await on(acme, "2024-02-25")
    await change(acme, id_, ChangeSubscription(quantities={"seats": 10}))
    acme = await on(acme, "2024-03-18T01:00")
    # 290 of 300 requests are included, whenever in the period they were made
    assert (await bills(acme))[-1] == Told("period", [("usage", 10), ("fixed", 2900), ("fixed", 2900)], 5810)


async def test_usage_is_priced_by_the_plan_of_its_time(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "metered")
    acme = await on(acme, "2024-02-20")
    await used(acme, 100, "2024-02-19")
    acme = await on(acme, "2024-02-25")
    await change(acme, id_, ChangeSubscription(plan="tiered"))
    await used(acme, 110, "2024-02-25")
    acme = await on(acme, "2024-03-18T01:00")
    # 7 of 29 days of metered include 70 requests: 30 at 0.01; then 100 at 1.00 and 10 at 0.50
    lines = [("usage", 30), ("usage", 10000), ("usage", 500), ("fixed", 5000)]
    assert (await bills(acme))[-1] == Told("period", lines, 15530)
    await proven(acme)


async def test_a_preview_knows_which_coupons_are_used_up_by_then(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-01-18", "hundred", coupons=("fifth",))
    at = ms("2024-04-25")
    said = await preview(acme, id_, ChangeSubscription(plan="three"), at)
    acme = await on(acme, at)
    await change(acme, id_, ChangeSubscription(plan="three"))
    # the third and last invoice with a fifth off was that of 18 March: 23 of 30 days of 100 and 300 are left in April
    assert [line.amount for line in said.lines] == [-7667, 23000]
    assert (await invoices(acme))[-1].lines == said.lines


async def test_now_is_previewed_however_often_the_clock_ticks_meanwhile(
    one_ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "hundred")
    running = of(acme, await tenants.set_clock(acme, "offset", ms("2024-02-25")))
    ticks = itertools.count(clock.now_ms())
    monkeypatch.setattr(clock, "now_ms", lambda: next(ticks))
    said = await preview(running, id_, ChangeSubscription(plan="three"))
    assert [line.kind for line in said.lines] == ["credit", "debit"]


async def test_what_is_not_sold_any_more_is_charged_no_more_and_stops_nothing(one_ctx: Context) -> None:
    acme, _ = await subscribed(one_ctx, "2024-02-18", "hundred", add_ons={"support": 1}, coupons=("ten",))
    (ten,) = (one for one in SHOP.coupons if one.id == "ten")
    other = replace(SHOP, addons=(), coupons=(replace(ten, amounts={"EUR": "10.00"}),))
    await tenants.apply_catalogue(one_ctx, other)
    acme = await on(acme, "2024-03-18")
    assert [one.total for one in await bills(acme)] == [11000, 10000]
