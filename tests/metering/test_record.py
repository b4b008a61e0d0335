"""Events are counted once each, whatever comes twice, late, wrong or in another order."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import whole_database
from tests.customers import DAY, NOON, at, customer, put_policy
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import CounterOutOfRange, NotFound, PermissionDenied
from veloflux.kit import ids
from veloflux.metering import Event, Result, read_usage, record
from veloflux.plans import Meter


def request(id_: str, at: int | None = NOON, size: int = 1, source: str = "api") -> Event:
    return Event("http.request", id_, at, source, {"bytes": size})


async def counted(ctx: Context, events: list[Event], *, backfill: bool = False) -> Result:
    return await record(ctx.parts, ctx.tenant, events, backfill=backfill)


async def figures(ctx: Context) -> tuple[dict[str, object], dict[str, object]]:
    """Day -> value of both meters."""
    requests, sizes = [await read_usage(ctx, meter) for meter in ("requests", "bytes")]
    return {row.start: row.value for row in requests.rows}, {row.start: row.value for row in sizes.rows}


async def test_an_event_feeds_every_meter_of_its_type(ctx: Context) -> None:
    acme = await customer(ctx)
    assert await counted(acme, [request("a", size=7), request("b", size=0)]) == Result(2, 0)
    assert await figures(acme) == ({"2025-05-17": 2}, {"2025-05-17": 7})


async def test_the_same_event_counts_once_in_one_batch_in_the_next_and_at_the_same_time(ctx: Context) -> None:
    acme = await customer(ctx)
    batch = [request("a"), request("b"), request("a")]
    results = await asyncio.gather(*(counted(acme, batch) for _ in range(20)))
    assert (sum(one.accepted for one in results), sum(one.duplicates for one in results)) == (2, 58)
    assert await figures(acme) == ({"2025-05-17": 2}, {"2025-05-17": 2})


async def test_ids_of_different_sources_are_different_events(ctx: Context) -> None:
    acme = await customer(ctx)
    events = [request("a"), request("a", source="log"), request("pia", source="a"), request("a", source="api")]
    assert await counted(acme, events) == Result(3, 1)


async def test_the_same_id_with_other_content_is_reported_and_not_counted(ctx: Context) -> None:
    acme = await customer(ctx)
    await counted(acme, [request("before", size=1)])
    result = await counted(acme, [request("x"), request("before", size=2), request("x", size=9)])
    assert (result.accepted, result.duplicates) == (1, 0)
    assert [(one.index, one.code) for one in result.rejected] == [(1, "id_reused"), (2, "id_reused")]
    assert await figures(acme) == ({"2025-05-17": 2}, {"2025-05-17": 2})


async def test_the_order_of_an_events_data_is_no_other_content(ctx: Context) -> None:
    acme = await customer(ctx)
    await counted(acme, [Event("http.request", "a", NOON, "api", {"bytes": 1, "path": "/"})])
    again = Event("http.request", "a", NOON, "api", {"path": "/", "bytes": 1})
    assert await counted(acme, [again]) == Result(0, 1)


async def test_an_event_without_a_time_happens_when_it_arrives_and_repeats_without_conflict(ctx: Context) -> None:
    acme = await customer(ctx)
    await counted(acme, [request("a", at=None)])
    acme = await at(acme, NOON + DAY)
    assert await counted(acme, [request("a", at=None)]) == Result(0, 1)
    assert await figures(acme) == ({"2025-05-17": 1}, {"2025-05-17": 1})


async def test_the_good_events_of_a_batch_count_and_each_bad_one_is_named(ctx: Context) -> None:
    acme = await customer(ctx)
    bad = {
        "event_type_unknown": Event("cpu.second", "b"),
        "event_in_future": request("c", at=NOON + 5 * 60_000 + 1),
        "event_too_old": request("d", at=NOON - 36 * DAY),
        "event_property_missing": Event("http.request", "e", NOON, "api", {"size": 1}),
        "event_invalid": request("f" * 201),
    }
    result = await counted(acme, [request("a"), *bad.values(), request("z", at=NOON + 5 * 60_000)])
    assert result.accepted == 2
    assert [(one.index, one.code) for one in result.rejected] == list(enumerate(bad, 1))


async def test_events_of_a_meter_that_is_new_are_counted_by_a_process_that_knows_the_former_policy(
    ctx: Context,
) -> None:
    acme = await customer(ctx)
    await counted(acme, [request("a")])
    await put_policy(acme, meters=(Meter(name="jobs", event_type="job", aggregation="count", unit="job"),))
    assert await counted(acme, [Event("job", "b", NOON)]) == Result(1, 0)
    assert [one.code for one in (await counted(acme, [request("c")])).rejected] == ["event_type_unknown"]


async def test_a_backfill_may_be_old_but_not_of_the_future(ctx: Context) -> None:
    acme = await customer(ctx)
    events = [request("a", at=NOON - 4000 * DAY), request("b", at=NOON + DAY)]
    result = await counted(acme, events, backfill=True)
    assert (result.accepted, [one.code for one in result.rejected]) == (1, ["event_in_future"])
    assert await figures(acme) == ({"2014-06-04": 1}, {"2014-06-04": 1})


async def test_what_the_plan_accepts_decides_how_old_an_event_may_be(ctx: Context) -> None:
    acme = await customer(ctx)
    await put_policy(acme, accepted_ms=DAY)
    result = await counted(acme, [request("a", at=NOON - DAY - 1), request("b", at=NOON - DAY + 5000)])
    assert (result.accepted, [one.index for one in result.rejected]) == (1, [0])


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("event_property_missing", None),
        *(("event_value_not_numeric", value) for value in ("1", True, [1])),
        *(("event_value_not_finite", value) for value in (float("nan"), float("inf"), float("-inf"))),
        *(("event_value_too_fine", value) for value in (1.5, 5e-324)),
        *(("event_value_too_large", value) for value in (2**53, -(2**53), 1e300, 10**400)),
    ],
)
async def test_a_value_that_no_meter_can_hold_exactly_is_rejected(one_ctx: Context, code: str, wrong: object) -> None:
    acme = await customer(one_ctx)
    result = await counted(acme, [Event("http.request", "a", NOON, "api", {"bytes": wrong})])
    assert [one.code for one in result.rejected] == [code]
    assert await figures(acme) == ({}, {})


async def test_decimals_are_summed_exactly(ctx: Context) -> None:
    acme = await customer(ctx)
    meter = Meter(name="bytes", event_type="job", aggregation="sum", value_property="gb", unit="GB", places=1)
    await put_policy(acme, meters=(meter,))
    await counted(acme, [Event("job", str(n), NOON, "api", {"gb": 0.1}) for n in range(1000)])
    [raw] = [value for key, value in (await whole_database.contents(ctx.db)).items() if ":total:bytes:" in key]
    assert raw == "['sum', '1000']"


async def test_the_largest_values_are_summed_exactly_and_negative_ones_take_away(ctx: Context) -> None:
    acme = await customer(ctx)
    sizes = [2**53 - 1] * 5 + [-(2**53 - 1)] * 2 + [1]
    assert (await counted(acme, [request(str(n), size=size) for n, size in enumerate(sizes)])).accepted == 8
    assert (await figures(acme))[1] == {"2025-05-17": sum(sizes)}


async def test_a_batch_that_would_take_a_counter_beyond_its_range_changes_nothing(ctx: Context) -> None:
    acme = await customer(ctx)
    await counted(acme, [request("a")])
    await ctx.db.call("HSET", keys.total(acme.tenant, "bytes", "2025-05"), "sum", 10**18 - 10)
    before = await whole_database.contents(ctx.db)
    with pytest.raises(CounterOutOfRange):
        await counted(acme, [request("b"), request("c", size=10)])
    assert await whole_database.contents(ctx.db) == before


async def test_everything_that_is_written_of_an_event_has_an_end(ctx: Context) -> None:
    acme = await customer(ctx)
    await counted(acme, [request(str(n)) for n in range(100)])
    lives = {}
    for name in await whole_database.contents(ctx.db):
        kind = next((kind for kind in (":seen:", ":usage:", ":total:") if kind in name), None)
        if kind:
            lives.setdefault(kind, set()).add(round(await ctx.db.call("PTTL", name) / DAY))
    assert lives == {":seen:": {70}, ":usage:": {90}, ":total:": {400}}


async def test_later_events_do_not_prolong_the_life_of_a_day(ctx: Context) -> None:
    acme = await customer(ctx)
    await counted(acme, [request("a")])
    day = keys.usage(acme.tenant, "requests", "2025-05-17")
    await ctx.db.call("PEXPIRE", day, DAY)
    await counted(acme, [request("b")])
    assert await ctx.db.call("PTTL", day) <= DAY


async def test_a_tenant_that_does_not_exist_or_is_not_active_records_nothing(ctx: Context) -> None:
    with pytest.raises(NotFound):
        await record(ctx.parts, "ten_none", [request("a")])
    acme = await customer(ctx)
    await ctx.db.call("HSET", keys.limits(acme.tenant), "status", "suspended")
    with pytest.raises(PermissionDenied, match="suspended"):
        await counted(acme, [request("a")])


async def test_two_tenants_events_with_the_same_id_do_not_meet(ctx: Context) -> None:
    acme, globex = await customer(ctx), await customer(ctx, "Globex")
    assert await counted(acme, [request("a")]) == Result(1, 0)
    assert await counted(globex, [request("a")]) == Result(1, 0)


async def test_a_batch_of_10000_counts_each_event(ctx: Context) -> None:
    acme = await customer(ctx)
    events = [request(str(n), at=NOON - n * 60_000) for n in range(10_000)]
    assert await counted(acme, events) == Result(10_000, 0)
    assert sum(int(str(value)) for value in (await figures(acme))[0].values()) == 10_000


usage_events = st.lists(
    st.builds(
        lambda id_, minutes, size: Event("http.request", f"e{id_}", NOON - minutes * 60_000, "api", {"bytes": size}),
        st.integers(0, 10**6),
        st.integers(0, 30 * 24 * 60),
        st.integers(-1000, 1000),
    ),
    min_size=1,
    max_size=40,
    unique_by=lambda event: event.id,
)


@given(events=usage_events, data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_split_order_and_repetition_of_events_gives_the_usage_of_one_pass(
    one_ctx: Context, events: list[Event], data: st.DataObject
) -> None:
    once = await customer(one_ctx, ids.bare(ids.new("run")))
    await counted(once, events)
    often = await customer(one_ctx, ids.bare(ids.new("run")))
    sent = data.draw(st.permutations(events * data.draw(st.integers(1, 3))))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=6)))
    batches = [sent[start:end] for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    await asyncio.gather(*(counted(often, batch) for batch in batches))
    assert await figures(often) == await figures(once)
