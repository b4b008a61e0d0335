"""What lies in Redis after events, by each aggregation: the same however they are cut, ordered, repeated and raced."""

import asyncio
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.customers import DAY, NOON, customer, put_policy
from tests.metering.counting import (
    AGGREGATIONS,
    EVERY_METER,
    ZONE,
    Contents,
    counters,
    expected,
    integral,
    job,
    meter,
    quantile,
    spread,
)
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import CounterOutOfRange
from veloflux.kit import ids, period
from veloflux.metering import Event, record
from veloflux.metering.groups import NAMED_MAX, OTHER
from veloflux.metering.sketch import value_of
from veloflux.plans import Meter
from veloflux.plans.catalogue import Aggregation

FIRST_OF_MAY = 1_746_068_400_000  # in São Paulo
FAR = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


async def fresh(ctx: Context, *meters: Meter) -> Context:
    """A tenant that nobody has seen, with these meters."""
    inside = await customer(ctx, ids.bare(ids.new("run")))
    await put_policy(inside, meters=meters or EVERY_METER)
    return inside


async def counted(ctx: Context, events: list[Event]) -> None:
    result = await record(ctx.parts, ctx.tenant, events)
    assert result.rejected == ()


jobs = st.builds(
    lambda id_, back, n, region, source: job(f"e{id_}", NOON - back, n, source, region=region, size="s"),
    st.integers(0, 10**6),
    st.one_of(st.integers(0, 30 * DAY), st.integers(0, 9 * 3_600_000), st.sampled_from((0, 1, 900_000))),
    st.integers(-1000, 1000),
    st.sampled_from(["eu", "us", 1, True, None]),
    st.sampled_from(["a", "b"]),
)
some_jobs = st.lists(jobs, min_size=1, max_size=10, unique_by=lambda event: event.id)


async def in_any_way(ctx: Context, events: list[Event], data: st.DataObject) -> None:
    """Send them in batches of any size and order, one to three times, at the same time."""
    sent = data.draw(st.permutations(events * data.draw(st.integers(1, 3))))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=5)))
    batches = [sent[start:end] for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    await asyncio.gather(*(counted(ctx, batch) for batch in batches))


@given(events=some_jobs, data=st.data())
@settings(max_examples=10, **FAR)
async def test_any_split_order_and_repetition_leaves_the_counters_of_one_pass(
    ctx: Context, events: list[Event], data: st.DataObject
) -> None:
    acme = await fresh(ctx)
    await in_any_way(acme, events, data)
    assert await counters(acme) == expected(events, NOON)


@given(events=some_jobs, data=st.data())
@settings(max_examples=6, **FAR)
async def test_what_happened_before_a_period_was_closed_is_an_adjustment_too(
    ctx: Context, events: list[Event], data: st.DataObject
) -> None:
    acme = await fresh(ctx)
    await ctx.db.call("HSET", keys.limits(acme.tenant), "closed_through", FIRST_OF_MAY)
    await in_any_way(acme, events, data)
    assert await counters(acme) == expected(events, NOON, closed=FIRST_OF_MAY)


async def test_events_that_come_while_a_period_is_closed_are_counted_once_on_one_side(ctx: Context) -> None:
    acme = await fresh(ctx, meter("count"))
    old = [job(f"e{n}", FIRST_OF_MAY - 1) for n in range(200)]
    first = asyncio.gather(*(counted(acme, old[at : at + 20]) for at in range(0, 100, 20)))
    await ctx.db.call("HSET", keys.limits(acme.tenant), "closed_through", FIRST_OF_MAY)
    before = int(await ctx.db.call("HGET", keys.total(acme.tenant, "count", "2025-04"), "sum") or 0)
    await first
    await counted(acme, old)
    assert await ctx.db.call("HGET", keys.total(acme.tenant, "count", "2025-04"), "sum") == "200"
    late = await ctx.db.call("HGET", keys.adjustments(acme.tenant, "count"), "2025-04")
    assert int(late) == 200 - before


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
async def test_groups_beyond_the_cap_are_counted_together(one_ctx: Context, aggregation: Aggregation) -> None:
    """Which groups have names depends on the order; the number of names, and the sum over all groups, does not."""
    acme, one = await fresh(one_ctx, meter(aggregation, ("customer",))), f"by_{aggregation}"
    events = [job(f"e{n}", NOON, n % 7, customer=n) for n in range(NAMED_MAX + 40)]
    await asyncio.gather(*(counted(acme, events[at : at + 300]) for at in range(0, len(events), 300)))
    found = await counters(acme)
    assert len(found[f"groups:{one}"]) == NAMED_MAX
    named = set(found[f"groups:{one}"])
    everything = expected(events, NOON, [meter(aggregation, ("customer",))])
    for name, value in everything.items():
        if any(group in name for group in named):
            assert found[name] == value
    _assert_the_whole(found, everything, one, named)


def _assert_the_whole(found: Contents, everything: Contents, one: str, named: set[str]) -> None:
    """What is not of a group is as if there were no cap; `other` has the rest."""
    for name, value in found.items():
        kind, _, rest = name.partition(":")
        if kind == "total":
            assert value["sum"] == everything[name]["sum"]
            assert value.keys() - {"sum", "n", "w"} - {f"{g}{s}" for g in named for s in ("", ".n", ".w")} == {
                f"{OTHER}{suffix}"
                for suffix in ("", ".n", ".w")
                if f"sum{suffix}" in value or suffix[1:] in value or not suffix
            }
        elif kind not in ("groups", "changes") and not any(g in rest for g in named) and OTHER not in rest:
            assert value == everything[name]
    if one in ("by_count", "by_sum"):
        total = found[f"total:{one}:2025-05"]
        assert sum(int(n) for field, n in total.items() if field != "sum") == int(total["sum"])


async def test_a_duplicate_takes_no_group_and_a_group_keeps_its_name(one_ctx: Context) -> None:
    acme = await fresh(one_ctx, meter("count", ("customer",)))
    await counted(acme, [job(f"e{n}", NOON, customer=n) for n in range(NAMED_MAX)])
    await counted(acme, [job("more", NOON, customer="late")])
    await counted(acme, [job("e1", NOON, customer=1), job("more", NOON, customer="late"), job("new", NOON, customer=1)])
    total = (await counters(acme))["total:by_count:2025-05"]
    assert (total["sum"], total[OTHER], len(total)) == (str(NAMED_MAX + 2), "1", NAMED_MAX + 2)
    assert sorted(total.values(), key=int)[-2] == "2"


async def test_distinct_values_are_exact_up_to_a_thousand_then_an_estimate(ctx: Context) -> None:
    acme = await fresh(ctx, meter("unique"))
    await counted(acme, [job(f"e{n}", NOON, f"user {n}") for n in range(1_000)])
    assert (await counters(acme))["unique:unique:2025-05"] == 1_000
    await counted(acme, [job("again", NOON, "user 7"), job("one more", NOON - DAY, "user 1000")])
    found = await counters(acme)
    assert "unique:unique:2025-05" not in found
    assert (found["unique:unique:2025-05-17"], found["unique:unique:2025-05-16"]) == (1_000, 1)
    await counted(acme, [job(f"f{n}", NOON, f"user {n}") for n in range(5_000)])
    found = await counters(acme)
    assert "unique:unique:2025-05" not in found, "it does not begin again"
    assert found["estimate:unique:2025-05"] == pytest.approx(5_000, rel=0.03)


async def test_equal_values_are_one_however_they_are_written(one_ctx: Context) -> None:
    acme = await fresh(one_ctx, meter("unique"))
    values = [1, 1.0, "1", True, "true", "Ação", 2**70, 0.1]
    await counted(acme, [job(f"e{n}", NOON, value) for n, value in enumerate(values)])
    assert (await counters(acme))["unique:unique:2025-05-17"] == len(values) - 1


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("event_property_missing", None),
        ("event_value_invalid", [1]),
        ("event_value_invalid", {}),
        ("event_value_not_finite", float("nan")),
    ],
)
async def test_a_value_that_is_no_scalar_is_rejected(one_ctx: Context, code: str, wrong: object) -> None:
    acme = await fresh(one_ctx, meter("unique"))
    result = await record(acme.parts, acme.tenant, [job("a", NOON, wrong)])
    assert [one.code for one in result.rejected] == [code]
    assert await counters(acme) == {}


@pytest.mark.parametrize("wrong", [[1], {"a": 1}, "x" * 201, float("inf")])
async def test_an_event_whose_group_has_no_text_is_rejected(one_ctx: Context, wrong: object) -> None:
    acme = await fresh(one_ctx, meter("count", ("region",)))
    result = await record(acme.parts, acme.tenant, [job("a", NOON, region=wrong)])
    assert [one.code for one in result.rejected] == ["event_group_invalid"]
    assert await counters(acme) == {}


async def test_the_latest_of_the_same_millisecond_is_the_one_with_the_last_id_then_source(ctx: Context) -> None:
    acme = await fresh(ctx, meter("latest"))
    events = [
        job(id_, NOON, n, source) for n, (id_, source) in enumerate([("b", "z"), ("B", "a"), ("ba", "a"), ("a", "z")])
    ]
    for batch in ([events[2]], [*events, job("ba", NOON, 9, "b")], events):
        await counted(acme, batch)
    assert (await counters(acme))["total:latest:2025-05"]["sum"] == f"{NOON}|9|6261.62"


changes = st.lists(
    st.builds(
        lambda id_, second, ms, n: job(f"e{id_}", FIRST_OF_MAY + second * 1000 + ms, n),
        st.integers(0, 10**9),
        st.integers(0, 16 * 86_400),
        st.integers(0, 999),
        st.integers(-(10**6), 10**6),
    ),
    min_size=1,
    max_size=30,
    unique_by=lambda event: event.id,
)


@given(events=changes)
@settings(max_examples=15, **FAR)
async def test_a_weighted_sum_is_the_area_below_the_level(one_ctx: Context, events: list[Event]) -> None:
    acme = await fresh(one_ctx, meter("weighted_sum"))
    await counted(acme, events)
    end = period.month_bounds("2025-05", ZONE.key)[1]
    total = (await counters(acme))["total:weighted_sum:2025-05"]
    assert int(total["w"]) == integral(events, FIRST_OF_MAY, end)


async def test_weights_beyond_what_a_script_adds_exactly_are_exact(one_ctx: Context) -> None:
    acme, largest = await fresh(one_ctx, meter("weighted_sum")), 372_856_077_553
    events = [job("a", FIRST_OF_MAY + 999, 10**11 + 7), job("b", NOON, 1), job("c", NOON - DAY, 1 - 10**11)]
    events += [job(f"d{n}", NOON + n * 1_001, -(10**9) - n) for n in range(100)]
    await counted(acme, events)
    end = period.month_bounds("2025-05", ZONE.key)[1]
    assert int((await counters(acme))["total:weighted_sum:2025-05"]["w"]) == integral(events, FIRST_OF_MAY, end)
    result = await record(acme.parts, acme.tenant, [job("z", NOON, largest + 1)])
    assert [one.code for one in result.rejected] == ["event_value_too_large"]
    before = await counters(acme)
    with pytest.raises(CounterOutOfRange):
        await counted(acme, [job("y", FIRST_OF_MAY, largest)])
    assert await counters(acme) == before


@pytest.mark.parametrize("seed", range(3))
async def test_a_quantile_is_within_one_per_cent_of_the_true_one(one_ctx: Context, seed: int) -> None:
    acme = await fresh(one_ctx, meter("percentile"))
    numbers = spread(seed, 1_500) + [-number for number in spread(seed + 9, 400)] + [0] * 20
    await counted(acme, [job(f"e{at}", NOON, number) for at, number in enumerate(numbers)])
    bins = (await counters(acme))["sketch:percentile:2025-05"]
    for q in (Fraction(1, 100), Fraction(1, 2), Fraction(95, 100), Fraction(99, 100)):
        true = sorted(numbers)[int(q * (len(numbers) - 1))]
        assert quantile(bins, q, value_of) == pytest.approx(true, rel=0.01 + 1e-9)


async def test_a_batch_that_touches_much_is_cut_and_counts_each_event(one_ctx: Context) -> None:
    meters = [meter(one, ("customer",)) for one in ("unique", "percentile", "weighted_sum", "count")]
    acme = await fresh(one_ctx, *meters)
    events = [job(f"e{n}", NOON - n * 1_000_003, n % 50, customer=n) for n in range(500)]
    await counted(acme, events)
    assert await counters(acme) == expected(events, NOON, meters)


async def test_each_counter_lives_as_long_as_the_registry_says(one_ctx: Context) -> None:
    acme = await fresh(one_ctx)
    await counted(acme, [job("a", NOON, region="eu")])
    lives: dict[str, set[float]] = {}
    for name in await counters(acme):
        kind, meter_, span = name.split(":")[0], name.split(":")[1], name.split(":")[2:3]
        length = f" {len(span[0])}" if kind in ("unique", "estimate", "sketch") else ""
        left = await one_ctx.db.call("PTTL", f"vf:tenant:{{{acme.tenant}}}:{name}")
        lives.setdefault(kind + length, set()).add(round(left / 3_600_000))
        assert meter_
    spans = {f"{kind} {length}": {24 * days} for kind in ("unique", "estimate", "sketch") for length, days in SPANS}
    days = {
        "usage": {90 * 24},
        "grouped": {90 * 24},
        "minutes": {8},
        "total": {400 * 24},
        "groups": {0},
        "changes": {0},
    }
    assert lives == {**spans, **days}


SPANS = ((13, 8), (10, 90), (7, 400))
