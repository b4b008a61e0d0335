"""A change within the hours in which a draft waits for late usage, where a coupon takes an amount off that draft."""

from collections.abc import Awaitable, Callable

import pytest

from tests.billing.shop import credit_notes, invoices, on, proven, subscribed, used
from veloflux.billing.subscriptions.cancel import cancel, pause
from veloflux.billing.subscriptions.change import ChangeSubscription, change, preview
from veloflux.context import Context

HALF_PAST = "2024-02-18T00:30"
TIERED = ChangeSubscription(plan="tiered", when="now")


async def waiting(one_ctx: Context) -> tuple[Context, str]:
    """Half an hour after a period ended: its draft has 29.00 for the next one, usage of 20.00, and Ten off them."""
    acme, id_ = await subscribed(one_ctx, "2024-01-18", "metered", coupons=("ten",))
    acme = await on(acme, "2024-01-20")
    await used(acme, 2_290, "2024-01-19")
    return await on(acme, HALF_PAST), id_


@pytest.mark.parametrize("end", [lambda ctx, id_: cancel(ctx, id_, now=True), pause], ids=["cancelled", "paused"])
async def test_a_credit_is_of_what_was_paid(one_ctx: Context, end: Callable[[Context, str], Awaitable[object]]) -> None:
    acme, id_ = await waiting(one_ctx)
    await end(acme, id_)
    acme = await on(acme, "2024-02-19")
    first, second, last = await invoices(acme)
    assert first.totals
    assert second.totals
    # Ten over 20.00 and 29.00 is 4.08 and 5.92, so 23.08 are paid for the period. All but half an hour of its 29.00 is
    # left, which is more: what was paid is credited
    assert [(line.kind, line.amount, line.discount) for line in second.lines] == [
        ("usage", 2000, 408),
        ("fixed", 2900, 592),
    ]
    assert [line.amount for line in last.lines if line.kind == "credit"] == [-2308]
    assert [note.totals.total for note in await credit_notes(acme)] == [2308]
    await proven(acme)


async def test_a_preview_says_what_the_change_charges(one_ctx: Context) -> None:
    acme, id_ = await waiting(one_ctx)
    said = await preview(acme, id_, TIERED)
    await change(acme, id_, TIERED)
    assert (await invoices(acme))[-1].lines == said.lines
    assert said.lines[0].amount == -2308
    await proven(acme)


async def test_what_comes_late_is_on_the_next_invoice(one_ctx: Context) -> None:
    acme, id_ = await waiting(one_ctx)
    await change(acme, id_, TIERED)
    await used(acme, 100, "2024-02-17")
    acme = await on(acme, "2024-03-19")
    assert [line.amount for line in (await invoices(acme))[-1].lines if line.kind == "adjustment"] == [100]
    await proven(acme)


async def test_a_change_of_the_next_period_leaves_the_draft(one_ctx: Context) -> None:
    acme, id_ = await waiting(one_ctx)
    await change(acme, id_, ChangeSubscription(plan="tiered", when="period_end"))
    assert [one.status for one in await invoices(acme)].count("draft") == 1
