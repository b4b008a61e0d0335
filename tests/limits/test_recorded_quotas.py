"""What is recorded as events counts for quotas exactly as what a check counted."""

import asyncio
import itertools
from typing import Any, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import crowd, tape
from tests.customers import DAY, NOON, at, customer, put_policy, quota
from tests.limits.quota_model import ANCHOR, Model, name_of
from veloflux.context import Context
from veloflux.db import keys, streams
from veloflux.limits import Question, check, commit, release, reserve
from veloflux.metering import Event, record
from veloflux.plans import Meter
from veloflux.plans.policy import QuotaLimit

SPEND = Meter(name="spend", event_type="call", aggregation="sum", value_property="eur", unit="EUR")
FIRST = "grt_1"
GRANTS = {FIRST: 6, "grt_2": 9}
PERCENTS = (50, 80, 100)
MINUTE = 60_000
numbers = itertools.count()


def spend(limit: int, period: str = "month", **terms: Any) -> QuotaLimit:
    return quota(limit, "spend", period=period, **{"thresholds": PERCENTS, **terms})


async def spender(ctx: Context, *quotas: QuotaLimit, grants: dict[str, int] | None = None) -> Context:
    acme = await customer(ctx, f"Acme {next(numbers)}")
    await plan(acme, *quotas)
    for priority, (grant, left) in enumerate((grants or {}).items()):
        await acme.db.call("HSET", keys.credit_state(acme.tenant, "spend"), grant, f"{left}|{left}|{priority}|0|")
    return acme


async def plan(ctx: Context, *quotas: QuotaLimit) -> None:
    await put_policy(ctx, meters=(SPEND,), rates=(), quotas=quotas, billing_anchor=ANCHOR)


def call(id_: str, moment: int, eur: int) -> Event:
    return Event("call", id_, moment, data={"eur": eur})


async def counted(ctx: Context, period: str) -> tuple[int, int, int]:
    """What the counter of a period says: sum, paid, told."""
    found = await ctx.db.call("HMGET", keys.counted(ctx.tenant, "spend", period), "sum", "paid", "told")
    return tuple(int(text or 0) for text in found)  # type: ignore[return-value]


async def told(ctx: Context) -> list[tuple[str, int]]:
    events = await streams.after(ctx.db, ctx.tenant, "", 1000)
    data = [event.data for event in events if event.name == "quota.threshold_reached"]
    return [(one["period"], one["percent"]) for one in data]


async def left(ctx: Context) -> dict[str, int]:
    pairs = await ctx.db.call("HGETALL", keys.credit_state(ctx.tenant, "spend"))
    return {grant: int(state.split("|")[1]) for grant, state in zip(pairs[::2], pairs[1::2], strict=True)}


async def test_events_alone_open_the_quotas_tell_thresholds_and_wake_the_worker(ctx: Context) -> None:
    acme = await spender(ctx, spend(10), spend(4, "day"))
    async with asyncio.timeout(60), ctx.db.subscription(keys.WAKE_CHANNEL) as messages:
        await record(acme.parts, acme.tenant, [call("a", NOON, 3), call("b", NOON - DAY, 5)], actor="key_1")
        heard = [await anext(messages.listen()) for _ in range(2)]
        assert (heard[0]["type"], acme.tenant in heard[1]["data"]) == ("subscribe", True)
    assert sorted(await told(acme)) == [("d2025-05-17", 50), ("m2025-05", 50), ("m2025-05", 80)]
    assert (await counted(acme, "m2025-05"), await counted(acme, "d2025-05-17")) == ((8, 0, 80), (3, 0, 50))
    assert await ctx.db.call("ZSCORE", keys.due(acme.tenant), acme.tenant)
    events = await streams.after(acme.db, acme.tenant, "", 1000)
    assert {event.actor for event in events if event.name == "quota.threshold_reached"} == {"key_1"}
    await record(acme.parts, acme.tenant, [call("a", NOON, 3), call("c", NOON, 0)])
    assert len(await told(acme)) == 3


async def test_credits_pay_what_events_use_beyond_a_limit_and_the_rest_is_overage(ctx: Context) -> None:
    acme = await spender(ctx, spend(5, hard=False), grants={"one": 3, "two": 2})
    await record(acme.parts, acme.tenant, [call("a", NOON, 9)])
    assert (await counted(acme, "m2025-05"), await left(acme)) == ((9, 4, 100), {"one": 0, "two": 1})
    await record(acme.parts, acme.tenant, [call("b", NOON, 9), call("a", NOON, 9)])
    answer = await check(acme.parts, acme.tenant, Question(meter="spend", dry_run=True))
    assert (answer.used, answer.overage) == (13, 8)
    assert await left(acme) == {"one": 0, "two": 0}


async def test_a_quota_that_no_event_falls_into_pays_nothing(ctx: Context) -> None:
    acme = await spender(ctx, spend(1), spend(1, "day"), grants={"one": 9})
    await record(acme.parts, acme.tenant, [call("yesterday", NOON - DAY, 4), call("long ago", NOON - 40 * DAY, 99)])
    assert (await counted(acme, "m2025-05"), await counted(acme, "d2025-05-17")) == ((4, 3, 100), (0, 0, 0))
    assert await left(acme) == {"one": 6}


async def test_recording_is_one_round_trip_once_the_quotas_are_open(one_ctx: Context) -> None:
    acme = await spender(one_ctx, spend(100), spend(50, "billing"))
    for id_ in "ab":  # the first brings about the state of the seen events, which the second learns
        await record(acme.parts, acme.tenant, [call(id_, NOON, 1)])
    with tape.taped(acme.db) as small, tape.taped(acme.db.bulk) as large:
        await record(acme.parts, acme.tenant, [call("c", NOON, 1)])
    assert (small.commands, [one[0] for one in large.commands]) == ([], ["EVALSHA"])
    assert await counted(acme, "m2025-05") == (3, 0, 0)


async def test_events_while_a_plan_has_no_quota_are_not_missed_when_it_has_one_again(ctx: Context) -> None:
    acme = await spender(ctx, spend(10, thresholds=()))
    await record(acme.parts, acme.tenant, [call("a", NOON, 4)])
    await plan(acme)
    await record(acme.parts, acme.tenant, [call("b", NOON, 4)])
    await plan(acme, spend(10, thresholds=()))
    await record(acme.parts, acme.tenant, [call("c", NOON, 1)])
    assert await counted(acme, "m2025-05") == (9, 0, 0)


async def test_thresholds_are_told_once_though_four_processes_record_at_once(ctx: Context) -> None:
    acme = await spender(ctx, spend(1_000), spend(400, "day"), grants={"one": 500})
    await crowd.told(await crowd.started("tests.limits.spending", acme.db.url, acme.tenant, 4, 60))
    wanted = [(name, percent) for name in ("d2025-05-17", "m2025-05") for percent in PERCENTS]
    assert sorted(await told(acme)) == sorted(wanted[:4])
    assert await counted(acme, "d2025-05-17") == (1_200, 500, 100)
    assert (await counted(acme, "m2025-05"), await left(acme)) == ((1_200, 500, 50), {"one": 0})


class Step(NamedTuple):
    """`do` is check, reserve, settle, record, plan or clock; `what` its cost, quotas, days, or events."""

    do: str
    what: Any


QUOTAS = st.lists(
    st.builds(
        spend,
        st.integers(3, 40),
        st.sampled_from(["day", "month", "billing", "lifetime"]),
        hard=st.booleans(),
        shadow=st.sampled_from([False, False, True]),
    ),
    max_size=4,
    unique_by=lambda one: one.period,
)
OFFSETS = st.sampled_from([0, 0, 4 * MINUTE, -DAY, -20 * DAY])
# Id, how far from now, amount.
EVENTS = st.lists(st.tuples(st.integers(0, 30), OFFSETS, st.integers(-3, 9)), min_size=1, max_size=6)
STEPS = st.lists(
    st.one_of(
        st.builds(Step, st.just("check"), st.integers(1, 9)),
        st.builds(Step, st.just("reserve"), st.integers(1, 9)),
        st.builds(Step, st.just("settle"), st.none() | st.integers(0, 12)),
        st.builds(Step, st.just("record"), EVENTS),
        st.builds(Step, st.just("record"), EVENTS),
        st.builds(Step, st.just("plan"), QUOTAS),
        st.builds(Step, st.just("clock"), st.sampled_from([0, 1, 5, 20])),
    ),
    min_size=4,
    max_size=14,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(quotas=QUOTAS, steps=STEPS)
async def test_checks_reservations_and_events_in_any_order_end_as_plain_arithmetic_says(
    ctx: Context, quotas: list[QuotaLimit], steps: list[Step]
) -> None:
    acme = await spender(ctx, *quotas, grants=GRANTS)
    model, held = Model(NOON, quotas, dict(GRANTS)), []  # type: tuple[Model, list[tuple[str, int]]]
    for step in steps:
        match step:
            case Step("check", cost):
                answer = await check(acme.parts, acme.tenant, Question(meter="spend", cost=cost))
                assert answer.allowed is model.check(cost), model
            case Step("reserve", cost):
                lease = await reserve(acme.parts, acme.tenant, Question(meter="spend", cost=cost), 3_600)
                assert lease.decision.allowed is model.reserve(cost), model
                held += [(lease.id, cost)] * lease.decision.allowed
            case Step("settle", spent) if held:
                id_, cost = held.pop()
                model.settle(cost, spent or 0)
                await (
                    release(acme.parts, acme.tenant, id_)
                    if spent is None
                    else commit(acme.parts, acme.tenant, id_, spent)
                )
            case Step("record", events):
                sent = [(f"{id_} {model.now + offset} {eur}", model.now + offset, eur) for id_, offset, eur in events]
                await record(acme.parts, acme.tenant, [call(*one) for one in sent])
                model.record(sent)
            case Step("plan", changed):
                await plan(acme, *changed)
                model.quotas = changed
            case Step("clock", days):
                model.now = NOON + days * DAY
                acme = await at(acme, model.now)
                await plan(acme, *model.quotas)
    await record(acme.parts, acme.tenant, [call("last", model.now, 1)])
    model.record([("last", model.now, 1)])
    names = [name_of(one.period, model.now) for one in model.quotas]
    assert [await counted(acme, name) for name in names] == [model.counter(name) for name in names], model
    assert await left(acme) == model.grants, model
    assert sorted(await told(acme)) == sorted(model.said), model
    overage = (await check(acme.parts, acme.tenant, Question(meter="spend", dry_run=True))).overage
    assert overage == model.overage(), model
