"""Usage that comes when its period is over: in the time of grace it is on its invoice, later on the next one, once, as
the difference that it makes. `tiered` asks 1.00 for each of the first 100 requests of a period, then 0.50."""

import pytest

from tests.billing.shop import Told, bills, invoices, on, proven, subscribed, used
from veloflux.billing import store
from veloflux.billing.subscriptions.cancel import cancel
from veloflux.billing.subscriptions.change import ChangeSubscription, change
from veloflux.billing.subscriptions.start import Start, start
from veloflux.context import Context

FIXED = [("fixed", 5000)]


async def test_in_the_hour_of_grace_it_is_on_its_own_invoice(one_ctx: Context) -> None:
    acme, _ = await subscribed(one_ctx, "2024-02-01", "tiered")
    acme = await on(acme, "2024-03-01T00:30")
    await used(acme, 60, "2024-02-29T23:59:59")
    await used(acme, 7, "2024-03-01T00:00")
    assert len(await bills(acme)) == 1
    acme = await on(acme, "2024-03-01T01:00")
    assert (await bills(acme))[1:] == [Told("period", [("usage", 6000), *FIXED], 11000)]
    acme = await on(acme, "2024-04-01T01:00")
    assert (await bills(acme))[2:] == [Told("period", [("usage", 700), *FIXED], 5700)]
    await proven(acme)


@pytest.mark.parametrize(
    ("first", "late", "lines"),
    [
        (60, 30, [("adjustment", 3000)]),
        (90, 30, [("adjustment", 1000 + 1000)]),  # 10 of them at 1.00, 20 at 0.50
        (200, 10, [("adjustment", 500)]),
        (0, 10, [("adjustment", 1000)]),
    ],
    ids=["in the first tier", "over the border of tiers", "in the second tier", "where nothing was used"],
)
async def test_after_its_invoice_it_is_on_the_next_one_as_the_difference(
    one_ctx: Context, first: int, late: int, lines: list[tuple[str, int]]
) -> None:
    acme, _ = await subscribed(one_ctx, "2024-02-01", "tiered")
    acme = await on(acme, "2024-02-15")
    await used(acme, first, "2024-02-14")
    acme = await on(acme, "2024-03-05")
    await used(acme, late, "2024-02-20")
    await used(acme, 1, "2024-03-04")
    acme = await on(acme, "2024-06-02")
    march, april, may = (await bills(acme))[2:]
    assert march == Told("period", [("usage", 100), *lines, *FIXED], 100 + lines[0][1] + 5000)
    assert (april.lines, may.lines) == (FIXED, FIXED)
    await proven(acme)


async def test_what_comes_later_and_later_is_billed_piece_by_piece(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-01", "tiered")
    acme = await on(acme, "2024-03-05")
    await used(acme, 90, "2024-02-20")
    acme = await on(acme, "2024-04-02")
    await used(acme, 20, "2024-02-29")  # of two periods before
    await used(acme, 5, "2024-03-20")
    acme = await on(acme, "2024-06-02")
    found = [one.lines for one in (await bills(acme))[2:]]
    assert found == [
        [("adjustment", 9000), *FIXED],
        [("adjustment", 500), ("adjustment", 1000 + 500), *FIXED],
        FIXED,
    ]
    assert sum((await store.subscription(acme, id_)).late_billed.values()) == 115
    await proven(acme)


async def test_it_is_priced_by_the_plan_that_it_was_of(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-01", "tiered")
    await change(acme, id_, ChangeSubscription(plan="metered", when="period_end"))
    acme = await on(acme, "2024-03-05")
    await used(acme, 10, "2024-02-20")
    await used(acme, 310, "2024-03-05")
    acme = await on(acme, "2024-04-02")
    assert (await bills(acme))[-1].lines == [("usage", 20), ("adjustment", 1000), ("fixed", 2900)]
    await proven(acme)


@pytest.mark.parametrize("at", ["2024-03-01T00:30", "2024-03-05"], ids=["in the hour of grace", "after it"])
async def test_a_plan_without_usage_still_bills_what_comes_late_for_the_one_before(one_ctx: Context, at: str) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-01", "tiered")
    await change(acme, id_, ChangeSubscription(plan="free", when="period_end"))
    acme = await on(acme, at)
    await used(acme, 10, "2024-02-29")
    acme = await on(acme, "2024-06-02")
    [late] = (await bills(acme))[1:]
    assert late.total == 1000
    await proven(acme)


async def test_an_upgrade_in_the_same_period_bills_late_usage_of_both_phases(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-01", "metered")
    acme = await on(acme, "2024-02-15T12:00")  # the middle of 29 days: 145 requests are included
    await used(acme, 145, "2024-02-15T11:59:59")
    await change(acme, id_, ChangeSubscription(plan="tiered", when="now"))
    acme = await on(acme, "2024-03-05")
    await used(acme, 100, "2024-02-15T11:00")
    await used(acme, 3, "2024-02-15T12:00")
    acme = await on(acme, "2024-04-02")
    assert (await bills(acme))[-1].lines == [("adjustment", 100), ("adjustment", 300), ("fixed", 5000)]


async def test_another_subscriptions_closing_makes_usage_late_and_loses_none(one_ctx: Context) -> None:
    """What is closed is closed for the whole tenant: of the second half of its period the other one knows as late."""
    acme, _ = await subscribed(one_ctx, "2024-02-01", "tiered")
    acme = await on(acme, "2024-02-10")
    await start(acme, Start(plan="weekly"))
    other = await start(acme, Start(plan="after"))
    await used(acme, 10, "2024-02-05")
    acme = await on(acme, "2024-02-20")
    await cancel(acme, other.id, now=True)
    await used(acme, 10, "2024-02-05")
    acme = await on(acme, "2024-02-25")
    await used(acme, 10, "2024-02-05")
    await used(acme, 10, "2024-02-24")
    acme = await on(acme, "2024-03-01T01:00")
    [mine] = [one for one in await invoices(acme) if one.reason == "period" and len(one.lines) == 2]
    assert [(line.kind, line.amount) for line in mine.lines] == [("usage", 4000), *FIXED]
    await proven(acme)
