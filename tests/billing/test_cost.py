"""The cost so far and the forecast, on a real Valkey: what the invoice will say, before there is one."""

import pytest

from tests.billing.composing import on_top, percent_off, within
from tests.billing.spending import (
    AFTER_GRACE,
    END,
    MIDDLE,
    charge,
    invoiced,
    moved,
    per_unit,
    plan,
    selling,
    subscribed,
    use,
)
from veloflux.billing.arithmetic.lines import net
from veloflux.billing.spend.cost import read_cost, read_costs
from veloflux.billing.subscriptions.cancel import pause
from veloflux.billing.subscriptions.change import ChangeSubscription, change
from veloflux.context import Context
from veloflux.errors import Conflict, NotFound

WORKED = plan(
    per_unit("calls", "25000", "0.001"),
    per_unit("gb_moved", "200", "0.10"),
    per_unit("predictions", "2500", "0.015"),
    per_unit("geo", "10000", "0.008"),
    per_unit("gb_stored", "25", "0.25"),
)
USED = {"calls": 30_000, "gb_moved": 250, "predictions": 2_800, "geo": 8_000, "gb_stored": 30}


async def test_the_worked_example_comes_to_45_74(ctx: Context) -> None:
    acme, sub = await subscribed(ctx, selling(WORKED))
    acme = await use(acme, MIDDLE, **USED)
    cost = await read_cost(acme, sub.id)
    rows = {row.meter or row.name: (row.quantity, row.amount) for row in cost.rows}
    assert rows == {
        "Hybrid: base": ("", 2999),
        "calls": ("30000", 500),
        "gb_moved": ("250", 500),
        "predictions": ("2800", 450),
        "geo": ("8000", 0),
        "gb_stored": ("30", 125),
    }
    assert (cost.so_far.before_tax, cost.so_far.tax, cost.so_far.after_tax) == (4574, 0, 4574)


async def test_the_forecast_is_rated_from_its_quantity_not_scaled(one_ctx: Context) -> None:
    tiers = {"tiers": [{"up_to": "1000", "unit": "0.10"}, {"unit": "0.01"}]}
    sold = plan(charge("calls", "graduated", tiers, included="500"))
    acme, sub = await subscribed(one_ctx, selling(sold))
    acme = await moved(acme, MIDDLE)  # half of the 31 days
    acme = await use(acme, MIDDLE, calls=1_000)
    cost = await read_cost(acme, sub.id)
    [row] = [one for one in cost.rows if one.meter == "calls"]
    assert (row.quantity, row.amount) == ("1000", 5_000)
    assert (cost.method, row.forecast_quantity, row.forecast) == ("linear", "2000", 10_500)
    assert cost.forecast
    assert cost.forecast.before_tax == 2_999 + 10_500


async def test_in_the_first_hundredth_of_a_phase_it_is_too_early(one_ctx: Context) -> None:
    acme, sub = await subscribed(one_ctx, selling(WORKED))
    acme = await moved(acme, "2026-03-01T07:00:00")
    acme = await use(acme, "2026-03-01T06:00:00", calls=30_000)
    cost = await read_cost(acme, sub.id)
    assert (cost.method, cost.forecast) == ("too_early", None)
    assert {row.forecast for row in cost.rows} == {None}
    acme = await moved(acme, "2026-03-01T07:26:24")  # 26,784 s of 2,678,400
    assert (await read_cost(acme, sub.id)).method == "linear"


@pytest.mark.parametrize(
    ("taxes", "expected"),
    [
        ((), (4574, 0, 4574)),
        ((on_top("20"),), (4574, 915, 5489)),
        ((within("20"),), (3812, 762, 4574)),
        ((on_top("10", "a"), within("10", "b")), (4158, 832, 4990)),
    ],
    ids=["without", "exclusive", "inclusive", "both"],
)
async def test_taxes_of_the_place_are_told_apart(
    one_ctx: Context, taxes: tuple[object, ...], expected: tuple[int, int, int]
) -> None:
    acme, sub = await subscribed(one_ctx, selling(WORKED, taxes=taxes))
    acme = await use(acme, MIDDLE, **USED)
    found = (await read_cost(acme, sub.id)).so_far
    assert (found.before_tax, found.tax, found.after_tax) == expected


async def test_at_the_periods_end_the_cost_is_what_the_invoices_ask(ctx: Context) -> None:
    sold = selling(WORKED, taxes=(on_top("9.975"),), coupons=(percent_off("10", coupon="ten"),))
    acme, sub = await subscribed(ctx, sold, coupons=("ten",))
    acme = await use(acme, MIDDLE, **USED)
    told = await read_cost(acme, sub.id)
    acme = await moved(acme, AFTER_GRACE)
    first, second, *_ = await invoiced(acme, sub)
    usage = [line for line in second.lines if line.meter]
    assert told.so_far.before_tax == net(first.lines) + net(usage)
    assert {row.meter: row.amount for row in told.rows if row.meter and row.amount} == {
        line.meter: line.net for line in usage
    }


async def test_a_change_within_the_period_splits_usage_and_price(one_ctx: Context) -> None:
    big = plan(per_unit("calls", "0", "0.01"), base="100.00", id_="big")
    acme, sub = await subscribed(one_ctx, selling(plan(per_unit("calls", "100", "1")), big))
    acme = await use(acme, "2026-03-02T00:00:00", calls=100)
    acme = await moved(acme, MIDDLE)
    await change(acme, sub.id, ChangeSubscription(plan="big", when="now"))
    acme = await use(acme, MIDDLE, calls=1_000)
    told = await read_cost(acme, sub.id)
    assert told.method == "too_early"  # of the phase that began now
    acme = await moved(acme, AFTER_GRACE)
    invoices = await invoiced(acme, sub)
    asked = [line for one in invoices for line in one.lines if 0 < line.start < told.period_end]
    assert told.so_far.before_tax == net(asked)


async def test_what_waits_for_the_next_invoice_is_counted_once(one_ctx: Context) -> None:
    big = plan(per_unit("calls", "0", "0.01"), base="100.00", id_="big")
    acme, sub = await subscribed(one_ctx, selling(plan(per_unit("calls", "100", "1")), big))
    acme = await moved(acme, MIDDLE)
    await change(acme, sub.id, ChangeSubscription(plan="big", when="next_invoice"))
    told = await read_cost(acme, sub.id)
    assert (
        told.so_far.before_tax == 1_499 + 5_000
    )  # 29.99 less the credit of half of it (14.995, half up), and half of 100.00


async def test_a_trial_costs_nothing(one_ctx: Context) -> None:
    acme, sub = await subscribed(one_ctx, selling(WORKED), trial_days=14)
    acme = await use(acme, "2026-03-02T00:00:00", **USED)
    assert (await read_cost(acme, sub.id)).so_far.after_tax == 0


async def test_all_subscriptions_of_a_tenant_that_run(one_ctx: Context) -> None:
    acme, sub = await subscribed(one_ctx, selling(WORKED))
    assert [cost.subscription for cost in await read_costs(acme)] == [sub.id]
    await pause(acme, sub.id)
    assert await read_costs(acme) == []
    with pytest.raises(Conflict, match="paused"):
        await read_cost(acme, sub.id)
    with pytest.raises(NotFound):
        await read_cost(acme, "sub_none")


async def test_usage_after_the_end_is_of_the_next_period(one_ctx: Context) -> None:
    acme, sub = await subscribed(one_ctx, selling(WORKED))
    acme = await use(acme, MIDDLE, calls=30_000)
    acme = await moved(acme, END)
    cost = await read_cost(acme, sub.id)
    assert cost.so_far.before_tax == 2999
    assert cost.period_start == cost.at
