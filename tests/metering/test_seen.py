"""What is remembered of events: each counted once, however its buckets are split, by whom, and through generations."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import crowd, whole_database
from tests.customers import DAY, NOON, asked, customer, key, let_a_generation_pass, put_policy
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import IdReused
from veloflux.kit import ids
from veloflux.kit.clock import HOUR_MS
from veloflux.limits import Question, check
from veloflux.metering import Event, Result, grow, read_usage, record
from veloflux.metering.known import Known, known
from veloflux.metering.seen import SPOTS, Seen, marker, parent, places
from veloflux.metering.store import read_seen


def events(first: int, end: int, size: int = 1) -> list[Event]:
    return [Event("http.request", str(at), NOON, data={"bytes": size}) for at in range(first, end)]


async def counted(ctx: Context, of: list[Event]) -> Result:
    """What became of the events, when the buckets that they filled are split."""
    result = await record(ctx.parts, ctx.tenant, of)
    await asyncio.gather(*grow._growing)
    return result


async def lengths(ctx: Context, generation: int = 1) -> dict[str, int]:
    """Bucket -> entries."""
    kind = f"{ctx.tenant}}}:seen:{generation}:"
    names = [name for name in await whole_database.contents(ctx.db) if kind in name]
    return {name.rpartition(":")[2]: await ctx.db.call("HLEN", name) for name in names}


async def knowing(ctx: Context) -> Known:
    """What a process knows that has just read the state."""
    state = Known()
    state.seen = await read_seen(ctx.db, ctx.tenant)
    return state


@given(st.integers(1, 2**20), st.integers(0, 2**32 - 1))
def test_a_split_moves_entries_of_the_parent_to_the_child_and_no_others(buckets: int, spot: int) -> None:
    [before], [after] = (places(SPOTS.pack(spot), number) for number in (buckets, buckets + 1))
    assert after == before or (after == buckets and before == parent(buckets))
    assert 0 <= after <= buckets


async def test_the_state_says_how_many_buckets_there_are_and_their_entries_lie_where_they_are_looked_for(
    ctx: Context,
) -> None:
    acme = await customer(ctx)
    for at in range(0, 2_000, 100):
        assert await counted(acme, events(at, at + 100)) == Result(100, 0)
    state = await read_seen(ctx.db, acme.tenant)
    assert 2_000 / 128 < state.buckets < 2_000 / 30
    assert max((await lengths(acme)).values()) <= 128
    assert sum((await lengths(acme)).values()) == 2_000
    of = marker(ctx.parts.secrets.of("seen"), acme.tenant)
    for at in range(2_000):
        identity = of.mark("api", str(at))
        [place] = places(identity, state.buckets)
        assert await ctx.db.call("HEXISTS", keys.seen(acme.tenant, "1", str(place)), identity)


async def test_a_batch_begins_with_as_many_buckets_as_it_needs_and_no_new_generation_with_less_than_half(
    ctx: Context,
) -> None:
    acme = await customer(ctx)
    assert await counted(acme, events(0, 5_000)) == Result(5_000, 0)
    first = await read_seen(ctx.db, acme.tenant)
    assert first.buckets >= 5_000 // 64
    await let_a_generation_pass(acme)
    assert await counted(acme, events(5_000, 5_001)) == Result(1, 0)
    second = await read_seen(ctx.db, acme.tenant)
    assert (second.number, second.buckets, second.before) == (2, first.buckets // 2, first.buckets)


async def test_an_event_is_recognised_through_the_next_generation(ctx: Context) -> None:
    acme = await customer(ctx)
    await counted(acme, events(0, 300))
    await let_a_generation_pass(acme)
    assert await counted(acme, events(200, 500)) == Result(200, 100)
    await let_a_generation_pass(acme)
    assert await counted(acme, events(0, 500)) == Result(300, 200)


async def test_a_bucket_never_passes_its_bound_and_stays_compact(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    for at in range(0, 3_000, 7):
        await counted(acme, events(at, at + 7))
    names = [name for name in await whole_database.contents(one_ctx.db) if ":seen:" in name]
    assert {await one_ctx.db.call("OBJECT", "ENCODING", name) for name in names} == {"listpack"}
    assert max((await lengths(acme)).values()) <= 128


async def test_500_times_the_same_event_needs_no_room(ctx: Context) -> None:
    acme = await customer(ctx)
    await counted(acme, events(0, 60))
    assert await counted(acme, events(0, 1) * 500) == Result(0, 500)
    assert await counted(acme, events(60, 61) * 500) == Result(1, 499)
    assert (await read_seen(ctx.db, acme.tenant)).buckets == 1


async def test_the_buckets_of_a_generation_end_together_when_nobody_can_ask_for_them(ctx: Context) -> None:
    acme = await customer(ctx)
    for at in range(0, 1_000, 100):
        await counted(acme, events(at, at + 100))
    state = await read_seen(ctx.db, acme.tenant)
    names = [keys.seen(acme.tenant, "1", str(at)) for at in range(state.buckets)]
    assert {await ctx.db.call("PEXPIRETIME", name) for name in names} == {state.since + 2 * state.seen_ms}


async def test_the_plan_says_how_long_an_id_is_remembered(ctx: Context) -> None:
    acme = await customer(ctx)
    await put_policy(acme, accepted_ms=DAY, seen_ms=2 * DAY + HOUR_MS)
    await counted(acme, events(0, 1))
    state = await read_seen(ctx.db, acme.tenant)
    assert await ctx.db.call("PEXPIRETIME", keys.seen(acme.tenant, "1", "0")) == state.since + 4 * DAY + 2 * HOUR_MS
    await let_a_generation_pass(acme)
    await counted(acme, events(1, 2))
    assert (await read_seen(ctx.db, acme.tenant)).number == 2


async def test_a_plan_that_remembers_longer_prolongs_the_life_of_the_buckets_that_take_new_ids(ctx: Context) -> None:
    acme = await customer(ctx)
    await counted(acme, events(0, 1))
    await put_policy(acme, seen_ms=60 * DAY)
    await counted(acme, events(1, 2))
    state = await read_seen(ctx.db, acme.tenant)
    assert await ctx.db.call("PEXPIRETIME", keys.seen(acme.tenant, "1", "0")) == state.since + 120 * DAY


async def test_a_caller_whose_clock_is_wrong_cannot_end_a_generation_or_prolong_it(ctx: Context) -> None:
    acme = await customer(ctx)
    await counted(acme, events(0, 10))
    for wrong in (40 * DAY, -40 * DAY):
        known(acme.tenant)._ahead_ms = wrong
        assert await counted(acme, events(0, 10)) == Result(0, 10)
    assert (await read_seen(ctx.db, acme.tenant)).number == 1


async def test_checks_fill_and_split_buckets_like_events_and_share_their_ids(ctx: Context) -> None:
    acme = await customer(ctx)
    await put_policy(acme, rates=(), quotas=())
    mine = await key(acme)
    for at in range(400):
        assert (await check(acme.parts, acme.tenant, asked(mine, id_=str(at)))).allowed
    await asyncio.gather(*grow._growing)
    assert (await read_seen(ctx.db, acme.tenant)).buckets > 4
    assert max((await lengths(acme)).values()) <= 128
    assert await counted(acme, events(0, 500)) == Result(100, 400)
    assert (await read_usage(acme, "requests")).total == 500
    assert (await check(acme.parts, acme.tenant, Question(meter="requests", id="499"))).used == 500


async def test_many_checks_at_once_let_a_new_tenant_grow_and_none_is_told_to_ask_again(ctx: Context) -> None:
    acme = await customer(ctx)
    await put_policy(acme, rates=(), quotas=())
    numbers = iter(range(3_000))

    async def ask() -> None:
        for number in numbers:
            assert (await check(acme.parts, acme.tenant, Question(meter="requests", id=str(number)))).allowed

    await asyncio.gather(*(ask() for _ in range(64)))
    assert (await read_usage(acme, "requests")).total == 3_000
    assert (await read_seen(ctx.db, acme.tenant)).buckets > 3_000 / 128


async def test_a_full_bucket_is_split_before_a_check_is_decided(ctx: Context) -> None:
    acme = await customer(ctx)
    await put_policy(acme, rates=(), quotas=())
    await counted(acme, events(0, 1))
    one = keys.seen(acme.tenant, "1", "0")
    of = marker(ctx.parts.secrets.of("seen"), acme.tenant)
    await ctx.db.call("HSET", one, *(part for at in range(128) for part in (of.mark("api", str(at)), "0")))
    assert (await check(acme.parts, acme.tenant, Question(meter="requests", id="128"))).used == 2
    assert (await read_seen(ctx.db, acme.tenant)).buckets == 2
    with pytest.raises(IdReused):
        await check(acme.parts, acme.tenant, Question(meter="requests", id="128", cost=2))


async def test_who_dies_before_splitting_leaves_full_buckets_that_the_next_one_splits(ctx: Context) -> None:
    acme = await customer(ctx)
    await counted(acme, events(0, 64))
    known(acme.tenant).full = -10_000  # as if it died each time that it should split
    await counted(acme, events(64, 128))
    assert await lengths(acme) == {"0": 128}
    assert await counted(acme, events(100, 200)) == Result(72, 28)
    assert (await read_seen(ctx.db, acme.tenant)).buckets > 1
    assert await counted(acme, events(0, 200)) == Result(0, 200)


async def test_a_split_that_comes_twice_or_too_late_changes_nothing(ctx: Context) -> None:
    acme = await customer(ctx)
    await counted(acme, events(0, 64))
    first, second = await knowing(acme), await knowing(acme)
    await grow.split(ctx.db, acme.tenant, first, 2)
    after = await whole_database.contents(ctx.db)
    await grow.split(ctx.db, acme.tenant, second, 5)
    assert second.seen == first.seen
    assert await whole_database.contents(ctx.db) == after


async def test_splits_and_batches_at_once_count_each_event_once(ctx: Context) -> None:
    acme = await customer(ctx)
    await counted(acme, events(0, 10))

    async def split_often() -> None:
        for _ in range(40):
            await grow.split(ctx.db, acme.tenant, await knowing(acme), 3)

    batches = [events(at, at + 100) for at in range(0, 3_000, 50)]
    results, _ = await asyncio.gather(asyncio.gather(*(counted(acme, one) for one in batches)), split_often())
    assert sum(one.accepted for one in results) == 3_040
    assert (await read_usage(acme, "requests")).total == 3_050


async def test_two_processes_that_record_the_same_and_split_at_once_count_each_event_once(ctx: Context) -> None:
    acme = await customer(ctx)
    each = await crowd.told(await crowd.started("tests.metering.recording", ctx.db.url, acme.tenant, 2, 10_000))
    assert sum(recorded for recorded, _ in each) == sum(duplicates for _, duplicates in each) == 10_000
    assert (await read_usage(acme, "requests")).total == 10_000
    assert max((await lengths(acme)).values()) <= 128


step = st.one_of(
    st.tuples(st.just("record"), st.lists(st.integers(0, 400), min_size=1, max_size=200)),
    st.tuples(st.just("check"), st.lists(st.integers(0, 400), min_size=1, max_size=5)),
    st.tuples(st.just("split"), st.lists(st.just(0), min_size=1, max_size=8)),
    st.tuples(st.just("pass"), st.just([])),
)


@given(steps=st.lists(step, max_size=12))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_sequence_of_batches_checks_splits_and_generations_counts_like_a_set_of_ids(
    one_ctx: Context, steps: list[tuple[str, list[int]]]
) -> None:
    acme = await customer(one_ctx, ids.bare(ids.new("run")))
    await put_policy(acme, rates=(), quotas=())
    await counted(acme, events(1_000, 1_001))
    present, before, total = {1_000}, set[int](), 1
    for kind, numbers in steps:
        new = set(numbers) - present - before
        if kind == "record":
            result = await counted(acme, [one for at in numbers for one in events(at, at + 1)])
            assert result == Result(len(new), len(numbers) - len(new))
        elif kind == "check":
            for at in numbers:
                await check(acme.parts, acme.tenant, Question(meter="requests", id=str(at)))
        elif kind == "split":
            await grow.split(acme.db, acme.tenant, await knowing(acme), len(numbers))
            continue
        else:
            await let_a_generation_pass(acme)
            await counted(acme, events(1_000, 1_001))
            new = {1_000} - present
            present, before = set(new), present
            total += len(new)
            continue
        present |= new
        total += len(new)
    assert (await read_usage(acme, "requests")).total == total


def test_the_state_reads_what_it_writes() -> None:
    state = Seen(3, 1_747_494_000_000, 17, 5, 2 * DAY)
    assert Seen.read(state.text) == state
    assert Seen.read("") == Seen()
    assert Seen().text == ""
