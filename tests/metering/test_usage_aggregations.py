"""What every aggregation says of minutes, hours, days and months, of groups and in other zones."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.customers import NOON, customer, put_policy
from tests.metering.planting import cap_groups, plant
from tests.metering.test_usage import moment
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import InputInvalid
from veloflux.kit.clock import DAY_MS, HOUR_MS, MINUTE_MS
from veloflux.metering import Event, Usage, read_usage
from veloflux.plans import Meter
from veloflux.plans.catalogue import Aggregation

SAO_PAULO, KATHMANDU = "America/Sao_Paulo", "Asia/Kathmandu"


def meter(aggregation: Aggregation, **terms: Any) -> Meter:
    return Meter(
        name="used",
        event_type="e",
        aggregation=aggregation,
        value_property="" if aggregation == "count" else "v",
        unit="GB",
        **terms,
    )


def event(at: int | str, value: object = 1, id_: str = "", **data: Any) -> Event:
    return Event("e", id_ or f"{at}", moment(at) if isinstance(at, str) else at, "api", {"v": value, **data})


async def with_used(ctx: Context, found: Meter, *events: Event) -> Context:
    """A customer in São Paulo, at noon of 2025-05-17, by whose meter these events were counted."""
    acme = await customer(ctx)
    await put_policy(acme, meters=(found,))
    await plant(acme, found, events)
    return acme


async def read(ctx: Context, *args: Any, **more: Any) -> Usage:
    return await read_usage(ctx, "used", *args, **more)


def pairs(usage: Usage) -> list[tuple[str, object]]:
    return [(row.start, row.value) for row in usage.rows]


EVENTS = [
    event("2025-05-16T02:10:00Z", 7),  # still the 15th
    event("2025-05-16T12:00:00Z", 3),
    event("2025-05-16T12:20:00Z", 5, "b"),
    event("2025-05-16T12:20:00Z", 4, "a"),
    event("2025-05-17T14:59:00Z", -2),
]
DAYS: dict[Aggregation, list[object]] = {
    "count": [1, 3, 1],
    "sum": [7, 12, -2],
    "avg": [Decimal(7), Decimal(4), Decimal(-2)],
    "min": [7, 3, -2],
    "max": [7, 5, -2],
    "latest": [7, 5, -2],
    "unique": [1, 3, 1],
}
TOTAL: dict[Aggregation, object] = {
    "count": 5,
    "sum": 17,
    "avg": Decimal("3.4"),
    "min": -2,
    "max": 7,
    "latest": -2,
    "unique": 5,
}


@pytest.mark.parametrize("kind", DAYS)
async def test_hours_days_and_months_say_what_the_aggregation_says_of_their_events(
    ctx: Context, kind: Aggregation
) -> None:
    acme = await with_used(ctx, meter(kind), *EVENTS)
    days = await read(acme, "day")
    assert pairs(days) == list(zip(["2025-05-15", "2025-05-16", "2025-05-17"], DAYS[kind], strict=True))
    hours = await read(acme, "hour")
    assert [row.start for row in hours.rows] == [
        "2025-05-15T23:00:00-03:00",
        "2025-05-16T09:00:00-03:00",
        "2025-05-17T11:00:00-03:00",
    ]
    assert [row.value for row in hours.rows] == DAYS[kind]
    assert pairs(await read(acme, "month")) == [("2025-05", TOTAL[kind])]
    assert {(await read(acme, size)).total for size in ("hour", "day", "month")} == {TOTAL[kind]}


@pytest.mark.parametrize("kind", [kind for kind in DAYS if kind != "unique"])
async def test_another_zone_has_other_days_and_months_of_the_same_events(one_ctx: Context, kind: Aggregation) -> None:
    acme = await with_used(one_ctx, meter(kind), *EVENTS)
    days = await read(acme, "day", zone=KATHMANDU)
    assert [row.start for row in days.rows] == ["2025-05-16", "2025-05-17"]  # 14:59 UTC is 20:44 there
    assert days.total == TOTAL[kind]
    assert days.zone == KATHMANDU
    assert pairs(await read(acme, "month", zone=KATHMANDU)) == [("2025-05", TOTAL[kind])]


async def test_minutes_are_there_of_the_last_six_hours(ctx: Context) -> None:
    times = [NOON - 6 * HOUR_MS, NOON - 70 * MINUTE_MS, NOON - 30_000, NOON - 20_000]
    acme = await with_used(ctx, meter("avg", places=2), *(event(at, n, str(n)) for n, at in enumerate(times)))
    usage = await read(acme, "minute")
    assert pairs(usage) == [
        ("2025-05-17T06:00:00-03:00", Decimal(0)),
        ("2025-05-17T10:50:00-03:00", Decimal(1)),
        ("2025-05-17T11:59:00-03:00", Decimal("2.5")),
    ]
    assert usage.kept_from == "2025-05-17T06:00:00-03:00"
    last = await read(acme, "minute", *two_times(NOON - HOUR_MS, NOON))
    assert (pairs(last), last.kept_from) == ([("2025-05-17T11:59:00-03:00", Decimal("2.5"))], None)


def two_times(*times: int) -> list[Any]:
    return [datetime.fromtimestamp(at / 1000, UTC) for at in times]


async def test_a_level_weighs_for_as_long_as_it_lasts(ctx: Context) -> None:
    """Two GB from 22:30 on the 14th, three from 12:00 on the 16th, none from 11:50 on the 17th; it is noon."""
    changes = [("2025-05-15T01:30:00Z", 2), ("2025-05-16T15:00:00Z", 1), ("2025-05-17T14:50:00Z", -3)]
    acme = await with_used(ctx, meter("weighted_sum"), *(event(at, change) for at, change in changes))
    days = await read(acme, "day", *map_days("2025-05-13", "2025-05-31"))
    expected = [
        ("2025-05-13", 0),
        ("2025-05-14", 3),
        ("2025-05-15", 48),
        ("2025-05-16", 24 + 36),
        ("2025-05-17", Decimal("35.5")),
    ]
    assert pairs(days) == expected
    assert days.total == sum(value for _, value in expected)
    hours = await read(acme, "hour", *map_days("2025-05-15", "2025-05-17"))
    assert len(hours.rows) == 24 + 24 + 12
    assert [row.value for row in hours.rows[-12:]] == [3] * 11 + [Decimal("2.5")]
    month = await read(acme, "month")
    assert pairs(month) == [("2025-05", days.total)]
    assert month.kept_from == "2024-05"


async def test_a_level_of_months_ago_goes_on(ctx: Context) -> None:
    acme = await with_used(ctx, meter("weighted_sum"), event("2025-03-01T03:00:00Z", 2))
    assert pairs(await read(acme, "month")) == [
        ("2025-03", 2 * 24 * 31),
        ("2025-04", 2 * 24 * 30),
        ("2025-05", 2 * (24 * 16 + 12)),
    ]
    assert pairs(await read(acme, "day", *map_days("2025-05-16"))) == [("2025-05-16", 48), ("2025-05-17", 24)]
    assert pairs(await read(acme, "day", *map_days("2025-05-01", "2025-05-01"), zone=KATHMANDU)) == [("2025-05-01", 48)]
    minutes = await read(acme, "minute", *two_times(NOON - 2 * MINUTE_MS))
    assert [row.value for row in minutes.rows] == [Decimal("0.033333")] * 2


async def test_minutes_of_a_level_begin_with_what_was_before_them(one_ctx: Context) -> None:
    events = [event(NOON - DAY_MS, 60), event(NOON - 90_000, 60)]
    acme = await with_used(one_ctx, meter("weighted_sum"), *events)
    minutes = await read(acme, "minute", *two_times(NOON - 3 * MINUTE_MS, NOON))
    assert [row.value for row in minutes.rows] == [1, Decimal("1.5"), 2]


async def test_a_month_whose_total_is_gone_is_left_out_and_its_level_stays(one_ctx: Context) -> None:
    acme = await with_used(one_ctx, meter("weighted_sum"), event("2025-03-01T03:00:00Z", 1))
    await acme.db.call("DEL", keys.total(acme.tenant, "used", "2025-03"))
    assert pairs(await read(acme, "month")) == [("2025-04", 720), ("2025-05", 396)]


async def test_more_different_values_than_are_kept_are_estimated_and_the_row_says_so(one_ctx: Context) -> None:
    many = [event(NOON - HOUR_MS, f"user {n}", str(n)) for n in range(1_001)]
    acme = await with_used(one_ctx, meter("unique"), *many, event(NOON - DAY_MS, "user 1"), event(NOON - DAY_MS, "x"))
    days = await read(acme, "day")
    assert [(row.start, row.exact) for row in days.rows] == [("2025-05-16", True), ("2025-05-17", False)]
    assert days.rows[0].value == 2
    assert days.rows[1].value == pytest.approx(1_001, rel=0.03)
    assert not days.total_exact
    assert days.total == pytest.approx(1_002, rel=0.03)


async def test_values_that_come_in_several_windows_and_groups_count_once_in_all(ctx: Context) -> None:
    events = [
        event(NOON - days * DAY_MS, user, f"{days}{user}{region}", region=region)
        for days in (0, 1)
        for user in ("alice", "bob")
        for region in ("eu", "us")
    ]
    acme = await with_used(ctx, meter("unique", group_by=("region",)), *events)
    assert ((await read(acme, "day")).total, (await read(acme, "day")).total_exact) == (2, True)
    assert [row.value for row in (await read(acme, "day", group_by=["region"])).rows] == [2, 2, 2, 2]
    both = await read(acme, "month", filters=["region=eu", "region=us"])
    assert pairs(both) == [("2025-05", 2)]


async def test_percentiles_are_within_one_in_a_hundred(ctx: Context) -> None:
    values = [n * n for n in range(-20, 80)]
    events = [event(NOON - (n % 3) * DAY_MS, value, str(n)) for n, value in enumerate(values)]
    acme = await with_used(ctx, meter("percentile"), *events)
    [month] = (await read(acme, "month")).rows
    ordered = sorted(values)
    for name, part in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        true = ordered[int(part * (len(values) - 1))]
        assert float(month.percentiles[name]) == pytest.approx(true, rel=0.01)
    assert month.value == month.percentiles["p50"]
    days = await read(acme, "day")
    assert len(days.rows) == 3
    assert days.total_percentiles == month.percentiles


async def test_an_hour_that_comes_twice_is_one_for_values_that_are_kept_by_the_hour(one_ctx: Context) -> None:
    times = ["2018-02-18T01:30:00Z", "2018-02-18T02:30:00Z", "2018-02-18T03:30:00Z"]
    acme = await with_used(one_ctx, meter("unique"), *(event(at, at) for at in times))
    hours = await read(acme, "hour", *two_times(moment(times[0]), moment(times[-1]) + 1))
    assert pairs(hours) == [("2018-02-17T23:00:00-02:00", 2), ("2018-02-18T00:00:00-03:00", 1)]


@pytest.mark.parametrize("kind", ["unique", "percentile"])
async def test_what_is_kept_in_the_tenants_zone_is_not_told_in_another(one_ctx: Context, kind: Aggregation) -> None:
    acme = await with_used(one_ctx, meter(kind), event(NOON))
    with pytest.raises(InputInvalid, match="tenant's zone"):
        await read(acme, "day", zone="UTC")
    with pytest.raises(InputInvalid, match="by minute"):
        await read(acme, "minute")
    assert len((await read(acme, "day", zone=SAO_PAULO)).rows) == 1


@pytest.mark.parametrize("kind", [*DAYS, "weighted_sum"])
async def test_groups_are_told_apart_and_filtered(ctx: Context, kind: Aggregation) -> None:
    events = [
        event(NOON - HOUR_MS, 5, "1", region="eu", tier=1),
        event(NOON - HOUR_MS, 5, "2", region="eu", tier=2),
        event(NOON - HOUR_MS, 3, "3", region="us"),
    ]
    acme = await with_used(ctx, meter(kind, group_by=("region", "tier")), *events)
    whole = {"count": 2, "sum": 10, "weighted_sum": 10, "unique": 1}.get(kind, 5)
    single = 1 if kind in ("count", "unique") else 3
    for size in ("hour", "day", "month"):
        first = (NOON - HOUR_MS) if kind == "weighted_sum" else 0
        rows = (await read(acme, size, *(two_times(first) if first else []), group_by=["region"])).rows
        assert [(row.group, row.value) for row in rows[:2]] == [({"region": "eu"}, whole), ({"region": "us"}, single)]
        apart = await read(acme, size, group_by=["tier", "region"], filters=["region=us"])
        assert [row.group for row in apart.rows][-1] == {"tier": "", "region": "us"}
        [filtered] = (await read(acme, size, *(two_times(first) if first else []), filters=["tier=1", "tier=2"])).rows[
            :1
        ]
        assert (filtered.value, filtered.group) == (whole, {})


async def test_what_came_beyond_the_cap_is_in_the_group_other(one_ctx: Context) -> None:
    found = meter("sum", group_by=("region",))
    acme = await with_used(one_ctx, found, event(NOON, 4, "1", region="late"), event(NOON, 1, "2", region="eu"))
    usage = await read(acme, "day", group_by=["region"])
    assert not usage.groups_capped
    await cap_groups(acme, found, ["late"])
    usage = await read(acme, "day", group_by=["region"])
    assert [(row.group, row.value) for row in usage.rows] == [({"region": "eu"}, 1), ({"region": "other"}, 4)]
    assert usage.groups_capped
    assert [row.value for row in (await read(acme, "day", filters=["region=other"])).rows] == [4]


async def test_what_cannot_be_grouped_is_said(one_ctx: Context) -> None:
    acme = await with_used(one_ctx, meter("sum", group_by=("region",)), event(NOON, 1, region="eu"))
    for refused, more in [
        ("region", {"group_by": ["country"]}),
        ("region", {"filters": ["country=br"]}),
        ("property=value", {"filters": ["region"]}),
    ]:
        with pytest.raises(InputInvalid, match=refused):
            await read(acme, "day", **more)
    with pytest.raises(InputInvalid, match="not kept by minute"):
        await read(acme, "minute", group_by=["region"])


async def test_an_answer_of_too_many_pieces_is_refused(one_ctx: Context) -> None:
    found = meter("sum", group_by=("region",))
    acme = await with_used(one_ctx, found, *(event(NOON - day * DAY_MS, 1, region="eu") for day in range(11)))
    await cap_groups(acme, found, ["eu"])
    with pytest.raises(InputInvalid, match="11,011 pieces"):
        await read(acme, "day", group_by=["region"])
    assert (await read(acme, "month", filters=["region=eu"])).rows == []


def map_days(*texts: str) -> list[Any]:
    return [date.fromisoformat(text) for text in texts]
