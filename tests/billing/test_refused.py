"""What cannot be is a typed error, and nothing is written: the whole database is compared."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from tests import whole_database
from tests.billing.shop import SHOP, ms, on, opened, subscribed, tenant
from tests.customers import of
from veloflux import tenants
from veloflux.billing import store
from veloflux.billing.states import SUBSCRIPTION, Status
from veloflux.billing.subscriptions.cancel import cancel, pause, reactivate, resume, undo_cancel
from veloflux.billing.subscriptions.change import ChangeSubscription, change, preview, undo_change
from veloflux.billing.subscriptions.start import Start, start
from veloflux.billing.subscriptions.trial import set_trial_end
from veloflux.context import PLATFORM, Context
from veloflux.db import keys
from veloflux.errors import (
    Conflict,
    CurrencyUnknown,
    InputInvalid,
    MoveImpossible,
    NotFound,
    PlanUnknown,
    PriceMissing,
    VeloFluxError,
)


@asynccontextmanager
async def unchanged(ctx: Context) -> AsyncIterator[None]:
    before = await whole_database.settled(ctx.db)
    yield
    assert await whole_database.settled(ctx.db) == before


Act = Callable[[Context, str], Awaitable[object]]
ACTS: dict[str, Act] = {
    "change": lambda ctx, id_: change(ctx, id_, ChangeSubscription(plan="three")),
    "undo_change": undo_change,
    "set_trial_end": lambda ctx, id_: set_trial_end(ctx, id_, None),
    "schedule_cancel": cancel,
    "cancel": lambda ctx, id_: cancel(ctx, id_, now=True),
    "undo_cancel": undo_cancel,
    "pause": pause,
    "resume": resume,
    "reactivate": reactivate,
}
"""By the name of the move."""


async def brought_to(ctx: Context, status: Status) -> tuple[Context, str]:
    plan = "trial" if status == "trialing" else "hundred"
    ends_at = {"ends_at": ms("2024-02-20")} if status == "expired" else {}
    acme, id_ = await subscribed(ctx, "2024-02-18", plan, **ends_at)
    if status == "past_due":  # as payments that fail leave it
        await ctx.db.call("HSET", keys.subscription(acme.tenant, id_), "status", status)
    if status == "paused":
        await pause(acme, id_)
    if status == "cancelled":
        await cancel(acme, id_, now=True)
    acme = await on(acme, "2024-02-25")
    assert (await store.subscription(acme, id_)).status == status
    return acme, id_


@pytest.mark.parametrize("status", ["trialing", "active", "past_due", "paused", "cancelled", "expired"])
async def test_every_impossible_move_says_so_and_writes_nothing(one_ctx: Context, status: Status) -> None:
    acme, id_ = await brought_to(one_ctx, status)
    refused = [name for name in ACTS if status not in SUBSCRIPTION.moves[name].origins]
    assert refused
    for name in refused:
        async with unchanged(acme):
            with pytest.raises(MoveImpossible) as found:
                await ACTS[name](acme, id_)
        assert found.value.extra["state"] == status
    if "change" in refused:
        with pytest.raises(MoveImpossible):
            await preview(acme, id_, ChangeSubscription(plan="three"))


BAD_START: dict[str, tuple[dict[str, Any], type[VeloFluxError]]] = {
    "a plan that there is not": ({"plan": "gold"}, PlanUnknown),
    "a currency that there is not": ({"plan": "hundred", "currency": "XQQ"}, CurrencyUnknown),
    "a currency in which the plan has no price": ({"plan": "team", "currency": "EUR"}, PriceMissing),
    "an add-on in a currency that it lacks": (
        {"plan": "hundred", "currency": "GBP", "add_ons": {"support": 1}},
        PriceMissing,
    ),
    "a charge that the plan lacks": ({"plan": "hundred", "quantities": {"seats": 2}}, InputInvalid),
    "an add-on that there is not": ({"plan": "hundred", "add_ons": {"gold": 1}}, InputInvalid),
    "a coupon that there is not": ({"plan": "hundred", "coupons": ("gold",)}, InputInvalid),
    "a coupon in a currency that it lacks": ({"plan": "hundred", "currency": "EUR", "coupons": ("ten",)}, InputInvalid),
    "an end that is past": ({"plan": "hundred", "ends_at": ms("2024-02-17")}, InputInvalid),
    "an end now": ({"plan": "hundred", "ends_at": ms("2024-02-18")}, InputInvalid),
    "an end within the trial": ({"plan": "trial", "ends_at": ms("2024-03-01")}, InputInvalid),
    "a billing day of weeks": ({"plan": "weekly", "billing_day": 3}, InputInvalid),
}


@pytest.mark.parametrize("case", BAD_START)
async def test_what_cannot_begin_begins_not(one_ctx: Context, case: str) -> None:
    wanted, error = BAD_START[case]
    acme = await tenant(await opened(one_ctx), "2024-02-18")
    async with unchanged(acme):
        with pytest.raises(error):
            await start(acme, Start(**wanted))


async def test_a_plan_without_prices_cannot_be_subscribed_to(one_ctx: Context) -> None:
    acme = await tenant(await opened(one_ctx), "2024-02-18")
    bare = replace(SHOP.plans[0], id="bare", fixed=())
    await tenants.apply_catalogue(one_ctx, replace(SHOP, plans=(*SHOP.plans, bare)))
    async with unchanged(acme):
        with pytest.raises(PriceMissing):
            await start(acme, Start(plan="bare"))


BAD_CHANGE: dict[str, tuple[dict[str, Any], type[VeloFluxError]]] = {
    "a plan that there is not": ({"plan": "gold"}, PlanUnknown),
    "a plan that has no price in the currency": ({"plan": "team"}, PriceMissing),
    "a charge that the plan lacks": ({"quantities": {"seats": 2}}, InputInvalid),
    "a charge that only the present plan has": ({"plan": "three", "quantities": {"seats": 2}}, InputInvalid),
    "an add-on that there is not": ({"add_ons": {"gold": 1}}, InputInvalid),
}


@pytest.mark.parametrize("case", BAD_CHANGE)
async def test_what_it_cannot_become_it_becomes_not(one_ctx: Context, case: str) -> None:
    wanted, error = BAD_CHANGE[case]
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "hundred", currency="EUR")
    async with unchanged(acme):
        for attempt in (change, preview):
            with pytest.raises(error):
                await attempt(acme, id_, ChangeSubscription(**wanted))


async def test_a_time_that_has_passed_or_is_too_far_is_not_previewed(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "weekly")
    for at in ("2024-02-17T23:59:59", "2044-01-01"):
        with pytest.raises(InputInvalid):
            await preview(acme, id_, ChangeSubscription(plan="three"), ms(at))


async def test_what_is_over_by_then_is_not_changed_then(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "hundred")
    await cancel(acme, id_)
    with pytest.raises(MoveImpossible):
        await preview(acme, id_, ChangeSubscription(plan="three"), ms("2024-03-18"))


async def test_nobody_reaches_the_subscription_of_another_tenant(one_ctx: Context) -> None:
    acme, id_ = await subscribed(one_ctx, "2024-02-18", "hundred")
    other = await tenant(one_ctx, "2024-02-18", name="Other")
    async with unchanged(acme):
        for act in ACTS.values():
            with pytest.raises(NotFound):
                await act(other, id_)
        with pytest.raises(NotFound):
            await preview(other, id_, ChangeSubscription(plan="three"))


async def test_the_operators_own_tenant_is_not_billed(one_ctx: Context) -> None:
    ctx = await opened(one_ctx)
    platform = of(ctx, await tenants.find(ctx, PLATFORM))
    async with unchanged(ctx):
        with pytest.raises(Conflict):
            await start(platform, Start(plan="hundred"))
