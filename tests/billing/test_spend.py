"""Alerts are told once, and spend caps act through the limits: to the unit for one meter, by minutes for all usage."""

import asyncio
from collections.abc import Mapping

import msgspec
import pytest

from tests.billing.spending import AFTER_GRACE, END, MIDDLE, meter, moved, ms, per_unit, plan, selling, subscribed, use
from tests.identity.mails import mails, work
from veloflux.billing import store
from veloflux.billing.spend.limits import SpendLimits, limit_spend, read_spend
from veloflux.billing.spend.watch import watch
from veloflux.billing.subscriptions.cancel import cancel
from veloflux.billing.subscriptions.change import ChangeSubscription, change
from veloflux.context import Context
from veloflux.db import keys, streams
from veloflux.errors import Conflict, InputInvalid, NotFound
from veloflux.limits import Question, check
from veloflux.limits.explain import explain
from veloflux.limits.overrides import set_override
from veloflux.plans import Override, read_policy
from veloflux.tenants.record import RecordChange, change_record

SOLD = plan(per_unit("calls", "100", "0.01"), per_unit("gb", "0", "1"))
FIELDS = ("amount", "meter")


async def said(ctx: Context) -> list[tuple[object, ...]]:
    """What was said of spending, but for settings: what, how much, of which meter."""
    found = [one for one in await streams.after(ctx.db, ctx.tenant, "", 1_000) if one.name.startswith("spend.")]
    return [
        (one.name[6:], *(one.data[field] for field in FIELDS if field in one.data))
        for one in found
        if one.name not in ("spend.limits_set", "spend.quotas_set")
    ]


async def passes(ctx: Context, cost: int, meter_: str = "gb") -> bool:
    return (await check(ctx.parts, ctx.tenant, Question(meter=meter_, cost=cost))).allowed


def limits(**terms: object) -> SpendLimits:
    return msgspec.convert(terms, SpendLimits)


async def test_an_alert_is_told_once_a_period(ctx: Context) -> None:
    acme, sub = await subscribed(ctx, selling(SOLD))
    shown = await limit_spend(acme, sub.id, limits(alerts=(5_000, 3_000)))
    assert (shown.alerts, shown.reached) == ((3_000, 5_000), ())
    acme = await use(acme, "2026-03-30T00:00:00", calls=600)
    for _ in range(2):
        await watch(acme, sub.id)
    assert await said(acme) == [("alert_reached", 3_000)]
    acme = await use(acme, "2026-03-30T12:00:00", gb=20)
    for _ in range(2):
        await watch(acme, sub.id)
    assert await said(acme) == [("alert_reached", 3_000), ("alert_reached", 5_000)]
    assert (await read_spend(acme, sub.id)).reached == (3_000, 5_000)
    acme = await moved(acme, END)
    assert (await read_spend(acme, sub.id)).reached == ()
    acme = await use(acme, "2026-04-02T00:00:00", gb=1)
    await watch(acme, sub.id)
    assert (await said(acme))[2:] == [("alert_reached", 3_000), ("forecast_reached", 5_000)]


async def test_what_the_forecast_reaches_is_told_before(one_ctx: Context) -> None:
    acme, sub = await subscribed(one_ctx, selling(SOLD))
    await limit_spend(acme, sub.id, limits(alerts=(5_000, 9_000)))
    acme = await use(acme, MIDDLE, gb=15)
    for _ in range(2):
        await watch(acme, sub.id)
    assert await said(acme) == [("forecast_reached", 5_000)]
    assert (await read_spend(acme, sub.id)).foreseen == (5_000,)
    acme = await use(acme, MIDDLE, gb=6)
    await watch(acme, sub.id)
    assert await said(acme) == [("forecast_reached", 5_000), ("alert_reached", 5_000)]


async def test_the_close_looks_a_last_time(ctx: Context) -> None:
    acme, sub = await subscribed(ctx, selling(SOLD))
    await limit_spend(acme, sub.id, limits(alerts=(5_000,)))
    acme = await use(acme, "2026-03-31T23:00:00", gb=21)
    acme = await moved(acme, AFTER_GRACE)
    [told] = [one for one in await streams.after(acme.db, acme.tenant, "", 1_000) if one.name == "spend.alert_reached"]
    assert (told.at, told.data["period_start"]) == (ms(END), sub.period_start)


async def test_a_cap_of_a_meter_lets_pass_what_it_pays_for_and_no_unit_more(ctx: Context) -> None:
    acme, sub = await subscribed(ctx, selling(SOLD))
    acme = await use(acme, MIDDLE, gb=2)
    await limit_spend(acme, sub.id, limits(meter_caps={"gb": 599}))
    assert [await passes(acme, cost) for cost in (4, 3, 1)] == [False, True, False]
    await watch(acme, sub.id)
    assert await said(acme) == [("cap_began", 599, "gb")]
    assert (await read_spend(acme, sub.id)).acting == ("gb",)


async def test_a_cap_is_renewed_with_the_period(ctx: Context) -> None:
    acme, sub = await subscribed(ctx, selling(SOLD))
    await limit_spend(acme, sub.id, limits(meter_caps={"gb": 500}))
    acme = await moved(acme, MIDDLE)
    assert [await passes(acme, cost) for cost in (5, 1)] == [True, False]
    acme = await moved(acme, END)
    assert [await passes(acme, cost) for cost in (6, 5, 1)] == [False, True, False]
    assert await said(acme) == [("cap_began", 500, "gb"), ("cap_ended", "gb")]


async def test_a_cap_that_is_raised_or_taken_away_lets_pass_at_once(one_ctx: Context) -> None:
    acme, sub = await subscribed(one_ctx, selling(SOLD))
    await limit_spend(acme, sub.id, limits(meter_caps={"gb": 0}))
    assert not await passes(acme, 1)
    await limit_spend(acme, sub.id, limits(meter_caps={"gb": 200}))
    assert [await passes(acme, cost) for cost in (2, 1)] == [True, False]
    await limit_spend(acme, sub.id, limits())
    assert await passes(acme, 1_000)
    assert await said(acme) == [("cap_began", 0, "gb"), ("cap_ended", "gb")]


async def test_a_cap_follows_a_change_of_plan(one_ctx: Context) -> None:
    big = plan(per_unit("gb", "0", "0.50"), id_="big")
    acme, sub = await subscribed(one_ctx, selling(SOLD, big))
    await limit_spend(acme, sub.id, limits(meter_caps={"gb": 1_000}))
    acme = await use(acme, MIDDLE, gb=4)  # 4.00 of the 10.00
    await change(acme, sub.id, ChangeSubscription(plan="big", when="now"))
    await work(one_ctx)
    assert [await passes(acme, cost) for cost in (13, 12, 1)] == [False, True, False]


async def test_a_cap_of_a_meter_with_places_holds_to_the_smallest_unit(one_ctx: Context) -> None:
    fine = selling(plan(per_unit("gb", "0", "1")))
    fine = msgspec.structs.replace(
        fine, meters=tuple(meter("gb", 2) if one.name == "gb" else one for one in fine.meters)
    )
    acme, sub = await subscribed(one_ctx, fine)
    acme = await use(acme, MIDDLE, gb=1.5)
    await limit_spend(acme, sub.id, limits(meter_caps={"gb": 307}))
    policy = await read_policy(acme.db, acme.tenant)
    assert policy
    assert [quota.limit for quota in policy.effective(acme.now()).quotas if quota.cap] == [307]


async def test_other_limits_of_the_meter_stay(one_ctx: Context) -> None:
    acme, sub = await subscribed(one_ctx, selling(SOLD))
    await limit_spend(acme, sub.id, limits(meter_caps={"gb": 500}))
    await set_override(acme, Override(kind="quota", name="gb", value=3, period="lifetime"))
    assert [await passes(acme, cost) for cost in (4, 3)] == [False, True]
    await set_override(acme, Override(kind="quota", name="gb", value=300, period="lifetime"))
    assert [await passes(acme, cost) for cost in (3, 2, 1)] == [False, True, False]


async def test_a_cap_is_exact_while_many_ask_and_it_is_looked_at(ctx: Context) -> None:
    acme, sub = await subscribed(ctx, selling(SOLD))
    acme = await use(acme, MIDDLE, gb=3)
    await limit_spend(acme, sub.id, limits(meter_caps={"gb": 2_800}))

    async def look() -> bool:
        await watch(acme, sub.id)
        return False

    asked = [look() if number % 10 == 5 else passes(acme, 1) for number in range(50)]
    assert sum(await asyncio.gather(*asked)) == 25
    assert not await passes(acme, 1)


async def test_what_comes_late_of_another_period_uses_a_cap_up_until_the_next_look(ctx: Context) -> None:
    acme, sub = await subscribed(ctx, selling(SOLD))
    await limit_spend(acme, sub.id, limits(meter_caps={"gb": 500}))
    acme = await moved(acme, END)
    acme = await use(acme, MIDDLE, gb=3)
    assert not await passes(acme, 5)
    await watch(acme, sub.id)
    assert [await passes(acme, cost) for cost in (5, 1)] == [True, False]


async def test_why_a_request_is_refused_names_the_spend_cap(one_ctx: Context) -> None:
    acme, sub = await subscribed(one_ctx, selling(SOLD))
    await limit_spend(acme, sub.id, limits(meter_caps={"gb": 200}))
    told = await explain(acme, Question(meter="gb", cost=3))
    [limit] = told.limits
    assert (told.refused_by, limit.source, limit.whole_at) == (("quota:gb:lifetime",), "spend_cap", ms(END))
    assert told.reason == "A spend cap of the subscription leaves 2 of quota:gb:lifetime in this period"
    assert told.help == ("smaller_cost", "credits", "raise_cap")


async def test_a_cap_of_all_usage_blocks_when_it_is_seen_to_be_reached(ctx: Context) -> None:
    acme, sub = await subscribed(ctx, selling(SOLD))
    await limit_spend(acme, sub.id, limits(cap=1_000))
    acme = await use(acme, MIDDLE, gb=9)
    await watch(acme, sub.id)
    assert await passes(acme, 1)
    await watch(acme, sub.id)
    assert [await passes(acme, 1, of) for of in ("gb", "calls")] == [False, False]
    acme = await use(acme, MIDDLE, gb=5)  # by events: counted, billed, and no room for more
    await watch(acme, sub.id)
    assert not await passes(acme, 1)
    acme = await moved(acme, END)
    assert [await passes(acme, 1, of) for of in ("gb", "calls")] == [True, True]
    assert await said(acme) == [("cap_began", 1_000, ""), ("cap_ended", "")]


async def test_what_ends_caps_nothing_any_more(one_ctx: Context) -> None:
    acme, sub = await subscribed(one_ctx, selling(SOLD))
    await limit_spend(acme, sub.id, limits(meter_caps={"gb": 0}))
    await cancel(acme, sub.id, now=True)
    await work(one_ctx)
    assert await passes(acme, 1)
    with pytest.raises(Conflict, match="cancelled"):
        await limit_spend(acme, sub.id, limits(cap=1))


async def test_what_cannot_be_capped_is_refused(one_ctx: Context) -> None:
    acme, sub = await subscribed(one_ctx, selling(SOLD))
    with pytest.raises(InputInvalid, match="charges nothing for 'bytes'"):
        await limit_spend(acme, sub.id, limits(meter_caps={"bytes": 5}))
    with pytest.raises(NotFound):
        await limit_spend(acme, "sub_none", limits(cap=1))
    assert (await store.subscription(acme, sub.id)).spend is None


WORDS: Mapping[str, tuple[str, ...]] = {
    "en": ("Acme will spend $50.00", "Acme has spent $30.00", "Acme has reached its spend cap of $15.00"),
    "pt-BR": (
        "Acme vai gastar US$ 50,00",
        "Acme já gastou US$ 30,00",
        "Acme chegou ao limite de gasto de US$ 15,00",
    ),
}


@pytest.mark.parametrize("language", ["en", "pt-BR"])
async def test_the_worker_watches_and_writes_to_the_address_for_invoices(one_ctx: Context, language: str) -> None:
    acme, sub = await subscribed(one_ctx, selling(SOLD))
    await change_record(acme, RecordChange(billing_email="money@acme.example"))
    await one_ctx.db.call("HSET", keys.tenant(acme.tenant), "language", language)
    await limit_spend(acme, sub.id, limits(alerts=(3_000, 5_000), cap=1_500))
    await work(one_ctx)
    assert await store.watched(one_ctx.db) == [(acme.tenant, sub.id)]
    acme = await use(acme, MIDDLE, gb=15)
    await watch(acme, sub.id)
    await work(one_ctx)
    sent = [mail for mail in await mails(one_ctx) if mail.subject.startswith("Acme")]
    assert sorted(mail.subject for mail in sent) == sorted(WORDS[language])
    assert {mail.to for mail in sent} == {"money@acme.example"}
    await limit_spend(acme, sub.id, limits())
    await work(one_ctx)
    assert await store.watched(one_ctx.db) == []
