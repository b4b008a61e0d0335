"""Operators grant credits, once or anew each period, and void them; a check burns what the commits put there."""

import asyncio
import contextlib
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests import crowd, tape
from tests.customers import DAY, NOON, asked, at, customer, key, put_policy, quota
from tests.tape import Fate
from tests.worker.working import nothing_due, until, working
from veloflux.audit import list_trail
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import AlreadyDone, Conflict, InputInvalid, MeterUnknown, NotFound, Unavailable
from veloflux.limits import Question, check, store
from veloflux.limits.credits import grant_credit, list_grants, void_grant
from veloflux.limits.grant import GrantShown, Terms
from veloflux.limits.renew_credits import renew_of_tenant
from veloflux.metering import read_usage
from veloflux.plans import Meter
from veloflux.worker import TABLES

MONTHLY = {"recurrence": "month"}
EUR = Meter(name="spend", event_type="call", aggregation="sum", value_property="eur", unit="EUR", places=2)


async def without_quota(ctx: Context) -> Context:
    """A tenant that has what credits pay, and nothing else."""
    acme = await customer(ctx)
    await put_policy(acme, rates=(), quotas=(quota(0, period="lifetime"),))
    return acme


async def given(ctx: Context, amount: int = 5, **terms: Any) -> GrantShown:
    return await grant_credit(ctx, Terms(meter="requests", amount=amount, **terms))


async def moved(ctx: Context, text: str) -> Context:
    """The tenant's clock shows this in São Paulo; the worker has done what there was to do."""
    moved = await at(ctx, time(text))
    await put_policy(moved, rates=(), quotas=(quota(0, period="lifetime"),))
    await renew_of_tenant(moved, moved.tenant)
    return moved


def time(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/Sao_Paulo")).timestamp() * 1000)


async def passes(ctx: Context, cost: int = 1) -> bool:
    return (await check(ctx.parts, ctx.tenant, Question(meter="requests", cost=cost))).allowed


async def left(ctx: Context) -> dict[str, int | float]:
    return {one.id: float(one.left) for one in (await list_grants(ctx)).items}


async def instances(ctx: Context, meter: str = "requests") -> list[str]:
    return sorted(one.id for one in await store.instances(ctx.db, ctx.tenant, meter))


async def said(ctx: Context) -> list[str]:
    names = [entry.name for entry in (await list_trail(ctx)).items]
    return [name for name in names if name.startswith("credit.")]


async def test_credits_are_burned_by_priority_then_expiry_then_start_then_id(ctx: Context) -> None:
    acme = await without_quota(ctx)
    ever, ever_too = sorted([await given(acme, priority=1) for _ in range(2)], key=lambda grant: grant.id)
    started = await given(acme, priority=1, starts_at=NOON - 1)
    soon = await given(acme, priority=1, expires_at=NOON + 1_000)
    last = await given(acme)
    first = await given(acme, priority=0)
    await given(acme, priority=0, starts_at=NOON + 1)
    order = [first, soon, started, ever, ever_too, last]
    for number, one in enumerate(order):
        assert await passes(acme, 5), number
        assert [(await left(acme))[grant.id] for grant in order] == [0] * (number + 1) + [5] * (5 - number), one
    assert not await passes(acme)


async def test_what_is_granted_is_shown_with_what_is_left_and_stands_in_the_trail(ctx: Context) -> None:
    acme = await without_quota(ctx)
    made = await given(acme, priority=7, expires_at=NOON + DAY, note="For Monday")
    assert (made.left, made.status, [one.left for one in made.instances]) == (5, "active", [5])
    assert await passes(acme, 2)
    [shown] = (await list_grants(acme)).items
    assert (shown.id, shown.left, shown.amount, shown.note, shown.priority) == (made.id, 3, 5, "For Monday", 7)
    assert [(one.amount, one.left, one.expires_at) for one in shown.instances] == [(5, 3, NOON + DAY)]
    assert await said(acme) == ["credit.granted"]
    after = await at(acme, NOON + DAY)
    assert await left(after) == {made.id: 0}


async def test_amounts_are_whole_units_of_meters_with_places(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    await put_policy(acme, meters=(EUR,), rates=(), quotas=(quota(0, "spend"),))
    await grant_credit(acme, Terms(meter="spend", amount=2))
    decision = await check(acme.parts, acme.tenant, Question(meter="spend", cost=0.75))
    assert (decision.allowed, str(decision.credits)) == (True, "0.75")
    assert [str(one.left) for one in (await list_grants(acme)).items] == ["1.25"]


@pytest.mark.parametrize(
    ("terms", "error"),
    [
        ({"meter": "gone", "amount": 1}, MeterUnknown),
        ({"meter": "people", "amount": 1}, InputInvalid),
        ({"meter": "requests", "amount": 2**53 - 1}, InputInvalid),
        ({"meter": "requests", "amount": 1, "rolls_over": 1}, InputInvalid),
        ({"meter": "requests", "amount": 1, "expires_at": NOON}, InputInvalid),
        ({"meter": "requests", "amount": 1, "starts_at": NOON + 2, "expires_at": NOON + 2}, InputInvalid),
    ],
)
async def test_what_cannot_be_granted_is_refused(
    one_ctx: Context, terms: dict[str, Any], error: type[Exception]
) -> None:
    acme = await customer(one_ctx)
    people = Meter(name="people", event_type="call", aggregation="unique", value_property="who", unit="person")
    requests = Meter(name="requests", event_type="call", aggregation="count", unit="request")
    await put_policy(acme, meters=(people, requests), rates=(), quotas=())
    with pytest.raises(error):
        await grant_credit(acme, Terms(**terms))
    assert await said(acme) == []


async def test_a_meter_has_at_most_100_living_grants_though_the_last_two_come_at_once(one_ctx: Context) -> None:
    acme = await without_quota(one_ctx)
    for rolls in (12, 12, 12, 12, 12, 12):
        await given(acme, rolls_over=rolls, **MONTHLY)
    for number in range(15):
        await given(acme, expires_at=NOON + 1 if number else None)
    outcomes = await asyncio.gather(given(acme), given(acme), return_exceptions=True)
    [refused] = [one for one in outcomes if isinstance(one, BaseException)]
    assert isinstance(refused, Conflict)
    assert "at most 100" in str(refused)
    later = await at(acme, NOON + DAY)
    await given(later)
    assert len(await instances(later)) == 6 * 2 + 2 + 1


async def test_a_monthly_grant_of_the_31st_has_a_period_each_month_and_never_a_gap(ctx: Context) -> None:
    acme = await without_quota(ctx)
    grant = await given(acme, starts_at=time("2026-01-31T00:00"), **MONTHLY)
    shown = {}
    for month, day, before in ((1, 31, "30"), (2, 28, "27"), (3, 31, "30"), (4, 30, "29")):
        await at(acme, time(f"2026-{month:02}-{before}T23:59"))
        acme = await at(acme, time(f"2026-{month:02}-{day}T00:00"))
        await put_policy(acme, rates=(), quotas=(quota(0, period="lifetime"),))
        shown[month] = await passes(acme, 5), await passes(acme)  # before any worker looked at the new period
        await renew_of_tenant(acme, acme.tenant)
        assert [f"{grant.id}:2026-{month:02}-{day}", len(await instances(acme)) <= 3] == [
            next(name for name in await instances(acme) if f"-{month:02}-" in name),
            True,
        ]
    assert set(shown.values()) == {(True, False)}
    assert await said(acme) == ["credit.renewed"] * 4 + ["credit.granted"]


async def test_what_is_unused_stays_for_as_many_periods_as_it_rolls_over(ctx: Context) -> None:
    acme = await without_quota(ctx)
    grant = await given(acme, starts_at=time("2025-05-01T00:00"), rolls_over=1, **MONTHLY)
    assert await passes(acme, 2)
    june = await moved(acme, "2025-06-01T00:00")
    assert await left(june) == {grant.id: 8}
    assert await passes(june, 4)  # of May first, which ends first
    july = await moved(june, "2025-07-01T00:00")
    assert await left(july) == {grant.id: 9}


async def test_after_an_outage_of_months_the_present_and_the_next_period_are_made_and_no_other(ctx: Context) -> None:
    acme = await without_quota(ctx)
    grant = await given(acme, starts_at=time("2025-05-01T00:00"), **MONTHLY)
    late = await moved(acme, "2025-10-17T12:00")
    assert await instances(late) == [f"{grant.id}:2025-10-01", f"{grant.id}:2025-11-01"]
    assert await left(late) == {grant.id: 5}
    await moved(late, "2025-10-18T12:00")
    assert await said(late) == ["credit.renewed"] * 2 + ["credit.granted"]


async def test_a_daily_grant_passes_both_changes_of_the_clocks(ctx: Context) -> None:
    acme = await at(await without_quota(ctx), time("2018-11-02T00:00"))  # the clocks skip the 4th's first hour
    grant = await given(acme, recurrence="day")
    for text in ("2018-11-03T00:00", "2018-11-04T01:00", "2018-11-05T00:00"):
        acme = await moved(acme, text)
        assert await left(acme) == {grant.id: 5}, text
        assert await passes(acme, 5)
    again = await moved(acme, "2019-02-16T23:30")  # the hour comes twice
    assert await passes(again, 5)
    assert not await passes(await moved(again, "2019-02-16T23:59"))
    assert await passes(await moved(again, "2019-02-17T00:00"), 5)


async def test_many_workers_renew_each_period_once(ctx: Context) -> None:
    acme = await without_quota(ctx)
    await given(acme, **MONTHLY)
    await at(acme, NOON + 40 * DAY)
    later = await at(acme, NOON + 40 * DAY)
    await asyncio.gather(*(renew_of_tenant(later, later.tenant) for _ in range(5)))
    assert len(await instances(later)) == 2
    assert await said(later) == ["credit.renewed", "credit.granted"]


async def test_a_clock_that_is_moved_brings_the_present_period_at_once(ctx: Context) -> None:
    acme = await without_quota(ctx)
    grant = await given(acme, **MONTHLY)
    later = await at(acme, NOON + 100 * DAY)
    async with working(ctx.parts, TABLES):
        await until(lambda: nothing_due(ctx))
    assert await left(later) == {grant.id: 5}


async def test_the_end_of_a_recurring_grant_ends_its_last_period_and_then_it_leaves_the_state(ctx: Context) -> None:
    acme = await without_quota(ctx)
    grant = await given(acme, starts_at=time("2025-05-01T00:00"), expires_at=time("2025-06-10T00:00"), **MONTHLY)
    june = await moved(acme, "2025-06-09T00:00")
    [shown] = (await list_grants(june)).items
    assert (shown.left, shown.instances[-1].expires_at) == (5, time("2025-06-10T00:00"))
    over = await moved(june, "2025-06-10T00:01")
    assert (await left(over), await instances(over)) == ({grant.id: 0}, [])
    assert await over.db.call("EXISTS", keys.grants_due(over.tenant)) == 0


async def test_a_void_takes_what_is_left_at_once_and_for_good_and_what_was_burned_stays(ctx: Context) -> None:
    acme = await without_quota(ctx)
    grant, other = await given(acme, **MONTHLY), await given(acme, 1)
    assert await passes(acme, 2)
    void = await void_grant(acme, grant.id)
    assert (void.status, void.left) == ("void", 0)
    assert [await passes(acme) for _ in range(2)] == [True, False]
    assert (await read_usage(acme, "requests")).total == 3
    with pytest.raises(AlreadyDone):
        await void_grant(acme, grant.id)
    later = await moved(acme, "2025-07-20T00:00")
    assert await left(later) == {grant.id: 0, other.id: 0}
    assert await said(later) == ["credit.voided", "credit.granted", "credit.granted"]


async def test_anothers_grant_is_not_found(ctx: Context) -> None:
    acme, globex = await customer(ctx), await customer(ctx, "Globex")
    grant = await given(acme)
    for id_ in (grant.id, "grt_0", "key_0", "grt_}"):
        with pytest.raises(NotFound):
            await void_grant(globex, id_)
    assert (await list_grants(globex)).items == []


async def test_a_void_in_a_race_with_checks_of_4_processes_lets_no_more_burn_than_was_granted(ctx: Context) -> None:
    acme = await without_quota(ctx)
    grants = [await given(acme, 40, priority=number) for number in range(4)]
    mine = asked(await key(acme))
    assert mine.key
    running = await crowd.started("tests.limits.asking", ctx.db.url, acme.tenant, 4, 50, *mine.key)
    await until(lambda: ctx.db.call("EXISTS", keys.counted(acme.tenant, "requests", "life")))
    for one in grants[1:]:
        await void_grant(acme, one.id)
    passed = sum(count for [count] in await crowd.told(running))
    counted, paid = await acme.db.call("HMGET", keys.counted(acme.tenant, "requests", "life"), "sum", "paid")
    assert 40 <= passed <= 160
    assert int(paid) == int(counted) == passed == (await read_usage(acme, "requests")).total
    assert await left(acme) == {one.id: 0 for one in grants}


@pytest.mark.parametrize("fate", ["dies", "loses_the_answer", "does_not_reach_redis"])
async def test_a_crash_leaves_a_grant_with_its_instance_or_neither(ctx: Context, fate: Fate) -> None:
    acme = await without_quota(ctx)
    for count in range(2):
        with tape.cut(acme.parts.db, count, fate), contextlib.suppress(Unavailable):
            await given(acme, **MONTHLY)
        documents = {one.id for one in (await list_grants(acme)).items}
        assert {name.partition(":")[0] for name in await instances(acme)} == documents
        assert len(await instances(acme)) == 2 * len(documents)
