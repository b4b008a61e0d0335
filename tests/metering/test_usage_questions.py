"""Questions about usage: versions, other zones, what is kept no longer, what came late, and how parts make a whole."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cast import fresh
from tests.customers import NOON, customer, put_policy
from tests.metering.planting import plant
from tests.metering.test_usage_aggregations import event, meter, with_used
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import InputInvalid, MeterUnknown
from veloflux.kit import clock
from veloflux.kit.clock import DAY_MS
from veloflux.metering import Event, Usage, meters_used, read_adjustments, read_usage, record
from veloflux.metering.prune_usage import AGE_DAYS, prune_tenant, prune_usage

REGIONS = ("eu", "us", "br")


async def test_each_version_of_a_meter_counts_apart(one_ctx: Context) -> None:
    second = meter("sum", version=2)
    acme = await with_used(one_ctx, second, event(NOON, 5))
    await plant(acme, meter("sum"), [event(NOON, 7)])
    usage = await read_usage(acme, "used")
    assert (usage.version, usage.versions, usage.total) == (2, [2], 5)
    with pytest.raises(InputInvalid, match="choose one of 2"):
        await read_usage(acme, "used", version=1)  # nobody says what it was
    assert [found.key for found in await meters_used(acme)] == ["used__2"]


async def test_a_meter_is_that_of_the_tenants_own_policy(one_ctx: Context) -> None:
    acme, globex = await with_used(one_ctx, meter("sum")), await customer(one_ctx, "Globex")
    assert (await read_usage(acme, "used")).unit == "GB"
    with pytest.raises(MeterUnknown):
        await read_usage(globex, "used")


async def test_a_zone_that_there_is_not_is_refused(one_ctx: Context) -> None:
    acme = await with_used(one_ctx, meter("sum"))
    with pytest.raises(InputInvalid, match="time zone"):
        await read_usage(acme, "used", zone="Mars/Olympus")


async def test_the_months_of_another_zone_are_its_own(ctx: Context) -> None:
    acme = await with_used(ctx, meter("sum"), event("2025-05-01T02:00:00Z", 1), event("2025-05-01T04:00:00Z", 2))
    here, there = [await read_usage(acme, "used", "month", zone=zone) for zone in ("", "UTC")]
    assert [(row.start, row.value) for row in here.rows] == [("2025-04", 1), ("2025-05", 2)]
    assert [(row.start, row.value) for row in there.rows] == [("2025-05", 3)]
    assert (here.kept_from, there.kept_from) == ("2024-05", "2025-03")


async def test_what_may_be_gone_is_said(one_ctx: Context) -> None:
    acme = await with_used(one_ctx, meter("sum"), event(NOON, 5))
    kept = date(2025, 5, 17) - timedelta(days=89)
    for first, said in [(None, kept), (date(2025, 1, 1), kept), (kept - timedelta(days=1), kept), (kept, None)]:
        assert (await read_usage(acme, "used", "day", first)).kept_from == (said and said.isoformat())


async def test_a_day_whose_hash_is_gone_is_in_no_row_but_in_its_month(one_ctx: Context) -> None:
    acme = await with_used(one_ctx, meter("sum"), event(NOON, 5), event(NOON - DAY_MS, 7))
    await acme.db.call("DEL", keys.usage(acme.tenant, "used", "2025-05-16"))
    assert [row.start for row in (await read_usage(acme, "used")).rows] == ["2025-05-17"]
    assert (await read_usage(acme, "used", "month")).total == 12


async def test_what_came_late_is_listed_by_month_and_meter(one_ctx: Context) -> None:
    acme = await with_used(one_ctx, meter("sum", places=2))
    assert (await read_adjustments(acme)).rows == []
    await acme.db.call("HSET", keys.adjustments(acme.tenant, "used"), "2025-04", 1250, "2025-03", -3)
    await acme.db.call("HSET", keys.limits(acme.tenant), "closed_through", NOON)
    found = await read_adjustments(acme)
    assert (found.zone, found.closed_through) == ("America/Sao_Paulo", NOON)
    assert [(row.month, row.meter, str(row.value)) for row in found.rows] == [
        ("2025-03", "used", "-0.03"),
        ("2025-04", "used", "12.50"),
    ]


async def test_days_leave_their_index_when_nothing_is_kept_of_them(ctx: Context) -> None:
    acme = await with_used(ctx, meter("sum"), event(NOON, 5))
    today, index = clock.now_ms() // DAY_MS, keys.usage_days(acme.tenant)
    gone, kept, recent = (day_member(today - AGE_DAYS - more) for more in (1, 500, -5))
    for member, day in ((gone, today - AGE_DAYS - 1), (kept, today - AGE_DAYS - 500), (recent, today - AGE_DAYS + 5)):
        await acme.db.call("ZADD", index, day, member)
    await acme.db.call("HSET", keys.total(acme.tenant, "used", kept.partition(":")[2][:7]), "sum", 1)
    await prune_usage(fresh(ctx), None, None)  # type: ignore[arg-type]
    members = await acme.db.call("ZRANGE", index, 0, -1)
    assert members == [kept, "used:2025-05-17", recent]
    assert await prune_tenant(acme, acme.tenant) == 0


def day_member(day: int) -> str:
    return f"used:{datetime.fromtimestamp(day * DAY_MS / 1000, UTC).date().isoformat()}"


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 80 * DAY_MS), st.integers(-50, 50), st.sampled_from(REGIONS)), max_size=25),
    st.sampled_from(["America/Sao_Paulo", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"]),
)
async def test_hours_make_days_and_months_and_a_filter_and_the_rest_make_all(
    one_ctx: Context, used: list[tuple[int, int, str]], zone: str
) -> None:
    await one_ctx.db.every_master("FLUSHALL")
    found = meter("sum", group_by=("region",))
    events = [event(NOON - ago, value, str(n), region=region) for n, (ago, value, region) in enumerate(used)]
    acme = await with_used(one_ctx, found, *events)
    by_size = [await read_usage(acme, "used", size, zone=zone) for size in ("hour", "day", "month")]
    assert {usage.total for usage in by_size} == {sum(value for _, value, _ in used)}
    hours, days, months = (sums(usage) for usage in by_size)
    assert added({start[:10]: value for start, value in hours}, hours, 10) == dict(days)
    assert added({start[:7]: value for start, value in days}, days, 7) == dict(months)
    parts = [await read_usage(acme, "used", zone=zone, filters=[f"region={region}"]) for region in REGIONS]
    assert combined([sums(part) for part in parts]) == dict(days)
    apart = await read_usage(acme, "used", zone=zone, group_by=["region"])
    assert combined([sums(apart)]) == dict(days)


def sums(usage: Usage) -> list[tuple[str, int]]:
    return [(row.start, int(row.value)) for row in usage.rows]


def added(into: dict[str, int], rows: Sequence[tuple[str, int]], length: int) -> dict[str, int]:
    into = dict.fromkeys(into, 0)
    for start, value in rows:
        into[start[:length]] += value
    return into


def combined(parts: Sequence[Sequence[tuple[str, int]]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for start, value in (row for part in parts for row in part):
        found[start] = found.get(start, 0) + value
    return found


async def test_months_that_were_recorded_are_the_sums_of_their_hours(ctx: Context) -> None:
    acme = await customer(ctx)
    await put_policy(acme)
    times = [NOON - ago * 7_919_000 for ago in range(1_000)]
    await record(acme.parts, acme.tenant, [Event("http.request", str(at), at, data={"bytes": 3}) for at in times])
    totals = {(await read_usage(acme, "bytes", size)).total for size in ("hour", "day", "month")}
    assert len(totals) == 1
