"""A subscription begins: what is on its first invoice, and when its first period ends. Cents are worked by hand."""

from typing import Any

import pytest

from tests.billing.shop import Told, balance, bills, invoices, ms, on, opened, proven, subscribed, tenant
from veloflux import tenants
from veloflux.billing import store
from veloflux.billing.subscriptions.start import Start, start
from veloflux.context import Context
from veloflux.errors import Conflict

CASES: dict[str, tuple[str, dict[str, Any], list[tuple[str, int]], int, str]] = {
    # what: (start, wanted, lines, total, end of the period)
    "a price of 100 for a month of 29 days": (
        "2024-02-18",
        {"plan": "hundred"},
        [("fixed", 10000)],
        10000,
        "2024-03-18",
    ),
    "the 31st, in a short month its last": ("2024-01-31", {"plan": "hundred"}, [("fixed", 10000)], 10000, "2024-02-29"),
    "a week": ("2024-02-26", {"plan": "weekly"}, [("fixed", 700)], 700, "2024-03-04"),
    "a year from a leap day": ("2024-02-29", {"plan": "yearly"}, [("fixed", 120000)], 120000, "2025-02-28"),
    "seats as the plan says, 3 at 29": (
        "2024-02-01",
        {"plan": "team"},
        [("fixed", 1000), ("fixed", 8700)],
        9700,
        "2024-03-01",
    ),
    "5 seats at 29": (
        "2024-02-01",
        {"plan": "team", "quantities": {"seats": 5}},
        [("fixed", 1000), ("fixed", 14500)],
        15500,
        "2024-03-01",
    ),
    "no seat writes no line": (
        "2024-02-01",
        {"plan": "team", "quantities": {"seats": 0}},
        [("fixed", 1000)],
        1000,
        "2024-03-01",
    ),
    "two add-ons of 20": (
        "2024-02-01",
        {"plan": "hundred", "add_ons": {"support": 2}},
        [("fixed", 10000), ("add_on", 4000)],
        14000,
        "2024-03-01",
    ),
    "half off": ("2024-02-01", {"plan": "hundred", "coupons": ("half",)}, [("fixed", 10000)], 5000, "2024-03-01"),
    "ten off": ("2024-02-01", {"plan": "hundred", "coupons": ("ten",)}, [("fixed", 10000)], 9000, "2024-03-01"),
    "half, then ten, in whichever order they came": (
        "2024-02-01",
        {"plan": "hundred", "coupons": ("ten", "half")},
        [("fixed", 10000)],
        4000,
        "2024-03-01",
    ),
    "half, then a fifth of the rest": (
        "2024-02-01",
        {"plan": "hundred", "coupons": ("half", "fifth")},
        [("fixed", 10000)],
        4000,
        "2024-03-01",
    ),
    "more off than there is takes all": (
        "2024-02-01",
        {"plan": "hundred", "coupons": ("lot",)},
        [("fixed", 10000)],
        0,
        "2024-03-01",
    ),
    "by the calendar: 19 of 29 days, 6551.72": (
        "2024-02-11",
        {"plan": "hundred", "calendar": True},
        [("fixed", 6552)],
        6552,
        "2024-03-01",
    ),
    "by the calendar, a year: 324 of 366 days, 106229.51": (
        "2024-02-12",
        {"plan": "yearly", "calendar": True},
        [("fixed", 106230)],
        106230,
        "2025-01-01",
    ),
    "by the calendar, on the first: the whole month": (
        "2024-02-01",
        {"plan": "hundred", "calendar": True},
        [("fixed", 10000)],
        10000,
        "2024-03-01",
    ),
    "by the calendar with half off: half of 6552": (
        "2024-02-11",
        {"plan": "hundred", "calendar": True, "coupons": ("half",)},
        [("fixed", 6552)],
        3276,
        "2024-03-01",
    ),
    "billing day 15: 4 of 31 days, 1290.32": (
        "2024-02-11",
        {"plan": "hundred", "billing_day": 15},
        [("fixed", 1290)],
        1290,
        "2024-02-15",
    ),
    "billing day 31 in February: 18 of 29 days from 31 January, 6206.90": (
        "2024-02-11",
        {"plan": "hundred", "billing_day": 31},
        [("fixed", 6207)],
        6207,
        "2024-02-29",
    ),
    "an agreed end after 12 of 29 days, 4137.93": (
        "2024-02-18",
        {"plan": "hundred", "ends_at": ms("2024-03-01")},
        [("fixed", 4138)],
        4138,
        "2024-03-01",
    ),
    "an agreed end far away": (
        "2024-02-18",
        {"plan": "hundred", "ends_at": ms("2025-03-01")},
        [("fixed", 10000)],
        10000,
        "2024-03-18",
    ),
    "no trial where the plan has one: the set-up fee and the price": (
        "2024-02-01",
        {"plan": "trial", "trial_days": 0},
        [("setup", 5000), ("fixed", 3000)],
        8000,
        "2024-03-01",
    ),
    "a coupon takes nothing off a set-up fee": (
        "2024-02-01",
        {"plan": "trial", "trial_days": 0, "coupons": ("half",)},
        [("setup", 5000), ("fixed", 3000)],
        6500,
        "2024-03-01",
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_a_first_invoice(one_ctx: Context, case: str) -> None:
    at, wanted, lines, total, end = CASES[case]
    acme, id_ = await subscribed(one_ctx, at, **wanted)
    assert await bills(acme) == [Told("start", lines, total)]
    sub = await store.subscription(acme, id_)
    assert (sub.status, sub.period, sub.period_start, sub.period_end) == ("active", 0, ms(at), ms(end))
    [invoice] = await invoices(acme)
    assert (invoice.status, invoice.number) == ("open" if total else "paid", "INV-000001")
    assert await balance(acme, "receivable") == total
    await proven(acme)


@pytest.mark.parametrize(
    ("currency", "total"), [("EUR", 9000 + 2000), ("JPY", 1500 + 2000)], ids=["EUR has cents", "JPY has none"]
)
async def test_another_currency_than_the_tenants(one_ctx: Context, currency: str, total: int) -> None:
    acme, _ = await subscribed(one_ctx, "2024-02-01", "hundred", currency=currency, add_ons={"support": 1})
    [invoice] = await invoices(acme)
    assert invoice.totals
    assert (invoice.currency, invoice.totals.total) == (currency, total)
    assert await balance(acme, "receivable", currency) == total
    await proven(acme)


async def test_a_trial_costs_nothing_and_then_the_fee_and_the_first_period(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-01-17T10:00", "trial")
    sub = await store.subscription(acme, id_)
    assert (sub.status, sub.period_end, await invoices(acme)) == ("trialing", ms("2024-01-31T10:00"), [])
    acme = await on(acme, "2024-01-31T09:59:59")
    assert await invoices(acme) == []
    acme = await on(acme, "2024-01-31T10:00")
    assert await bills(acme) == [Told("period", [("setup", 5000), ("fixed", 3000)], 8000)]
    sub = await store.subscription(acme, id_)
    # periods are counted from the end of the trial: 31 January, 29 February, 31 March
    assert (sub.status, sub.period, sub.period_end) == ("active", 0, ms("2024-02-29T10:00"))
    acme = await on(acme, "2024-03-01")
    assert (await store.subscription(acme, id_)).period_end == ms("2024-03-31T10:00")
    assert await bills(acme) == [
        Told("period", [("setup", 5000), ("fixed", 3000)], 8000),
        Told("period", [("fixed", 3000)], 3000),
    ]


async def test_a_trial_by_the_calendar_pays_from_its_end_to_the_first(one_ctx: Context) -> None:
    acme, _ = await subscribed(one_ctx, "2024-02-01", "hundred", trial_days=10, calendar=True)
    acme = await on(acme, "2024-03-01")
    # 11 February to 1 March: 19 of 29 days
    assert await bills(acme) == [Told("period", [("fixed", 6552)], 6552), Told("period", [("fixed", 10000)], 10000)]


async def test_a_coupon_for_three_periods_and_one_for_ever(one_ctx: Context) -> None:
    acme, _ = await subscribed(one_ctx, "2024-01-01", "hundred", coupons=("ten", "fifth"))
    acme = await on(acme, "2024-06-01")
    # a fifth off 100 three times, then none; ten off each
    assert [one.total for one in await bills(acme)] == [7000, 7000, 7000, 9000, 9000, 9000]


async def test_the_tenant_has_the_limits_of_its_main_subscription_only(one_ctx: Context) -> None:
    acme, main = await subscribed(one_ctx, "2024-02-01", "hundred")
    beside = await start(acme, Start(plan="three"))
    assert not beside.main
    found = await tenants.find(acme, acme.tenant)
    assert (found.plan, found.subscription) == ("hundred", main)
    with pytest.raises(Conflict):
        await start(acme, Start(plan="three", main=True))
    assert [one.total for one in await bills(acme)] == [10000, 30000]


async def test_the_same_key_begins_one_subscription(one_ctx: Context) -> None:
    acme = await tenant(await opened(one_ctx), "2024-02-01")
    first = await start(acme, Start(plan="hundred"), "key 1")
    assert await start(acme, Start(plan="hundred"), "key 1") == first
    assert await bills(acme) == [Told("start", [("fixed", 10000)], 10000)]


async def test_twenty_subscriptions_live_at_once_and_no_more(one_ctx: Context) -> None:
    acme = await tenant(await opened(one_ctx), "2024-02-01")
    for number in range(20):
        await start(acme, Start(plan="free"), str(number))
    with pytest.raises(Conflict):
        await start(acme, Start(plan="free"))
