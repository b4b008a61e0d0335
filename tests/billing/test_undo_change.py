"""A change that was to come with the next period is taken back: the next invoice is of what there was."""

import asyncio

import pytest

from tests.billing.shop import Told, bills, ms, on, proven, subscribed
from veloflux.billing import store
from veloflux.billing.subscriptions.cancel import pause, resume
from veloflux.billing.subscriptions.change import ChangeSubscription, change, preview, undo_change
from veloflux.billing.subscriptions.start import Start, start
from veloflux.context import Context
from veloflux.errors import Conflict, MoveImpossible
from veloflux.plans import find_schedule

LATER = "period_end"


async def test_a_downgrade_that_was_taken_back_is_not_billed(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "three")
    planned = await change(acme, id_, ChangeSubscription(plan="hundred"))
    assert planned.next_selection
    acme = await on(acme, "2024-03-17")
    sub = await undo_change(acme, id_)
    assert (sub.selection.plan, sub.next_selection) == ("three", None)
    acme = await on(acme, "2024-03-18")
    assert await bills(acme) == [Told("start", [("fixed", 30000)], 30000), Told("period", [("fixed", 30000)], 30000)]
    await proven(acme)


async def test_seats_and_add_ons_stay_too(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "team", quantities={"seats": 2}, add_ons={"support": 1})
    await change(acme, id_, ChangeSubscription(quantities={"seats": 9}, add_ons={}, when=LATER))
    await undo_change(acme, id_)
    acme = await on(acme, "2024-03-18")
    assert [one.total for one in await bills(acme)] == [1000 + 5800 + 2000] * 2


async def test_where_nothing_is_planned_there_is_nothing_to_undo(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "three")
    before = await store.subscription(acme, id_)
    with pytest.raises(MoveImpossible) as found:
        await undo_change(acme, id_)
    assert found.value.extra["state"] == "active"
    assert await store.subscription(acme, id_) == before
    await change(acme, id_, ChangeSubscription(plan="hundred"))
    await undo_change(acme, id_)
    with pytest.raises(MoveImpossible):
        await undo_change(acme, id_)


async def test_a_change_that_holds_already_is_not_undone(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "three")
    await change(acme, id_, ChangeSubscription(plan="hundred"))
    acme = await on(acme, "2024-03-18")
    with pytest.raises(MoveImpossible):
        await undo_change(acme, id_)
    assert (await store.subscription(acme, id_)).selection.plan == "hundred"


async def test_it_is_taken_back_also_while_it_is_paused(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "three")
    await change(acme, id_, ChangeSubscription(plan="hundred"))
    await pause(acme, id_, credit_unused=False)
    await undo_change(acme, id_)
    acme = await on(acme, "2024-02-25")
    await resume(acme, id_)
    acme = await on(acme, "2024-03-25")
    assert [one.total for one in await bills(acme)] == [30000, 30000, 30000]


async def test_the_meters_of_what_was_planned_are_free_again(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "hundred")
    await change(acme, id_, ChangeSubscription(plan="metered", when=LATER))
    with pytest.raises(Conflict):
        await start(acme, Start(plan="tiered"))
    await undo_change(acme, id_)
    await start(acme, Start(plan="tiered"))
    with pytest.raises(Conflict):
        await change(acme, id_, ChangeSubscription(plan="metered", when=LATER))


async def test_usage_is_cut_where_its_own_periods_begin_again(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "metered")
    before = await find_schedule(acme.db, acme.tenant)
    await change(acme, id_, ChangeSubscription(plan="weeks", when=LATER))
    assert (await find_schedule(acme.db, acme.tenant)).cuts != before.cuts
    await undo_change(acme, id_)
    assert (await find_schedule(acme.db, acme.tenant)).cuts == before.cuts


async def test_a_preview_of_later_sees_it_gone(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "three")
    await change(acme, id_, ChangeSubscription(plan="hundred"))
    wanted = ChangeSubscription(plan="three", when="now")
    planned = await preview(acme, id_, wanted, ms("2024-03-18"))
    assert [line.amount for line in planned.lines] == [-10000, 30000]
    await undo_change(acme, id_)
    assert (await preview(acme, id_, wanted, ms("2024-03-18"))).lines == ()


async def test_of_many_who_take_it_back_at_once_one_does(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "three")
    await change(acme, id_, ChangeSubscription(plan="hundred"))
    said = await asyncio.gather(*(undo_change(acme, id_) for _ in range(4)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in said) == ["MoveImpossible"] * 3 + ["Subscription"]
    assert (await store.subscription(acme, id_)).next_selection is None
