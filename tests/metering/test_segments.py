"""What money reads of usage: each amount in the segment of its time, once, however it comes; what is closed stays."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import crowd, tape
from tests.customers import DAY, NOON, at, customer, put_policy
from tests.metering import closing
from tests.metering.counting import EVERY_METER, counters, expected, job, meter
from tests.metering.test_aggregations import counted, fresh, in_any_way
from tests.worker.working import until
from veloflux.context import Context
from veloflux.db import commit, keys
from veloflux.db.commit import Commit
from veloflux.errors import ChangedMeanwhile, IdReused
from veloflux.kit import clock, ids, period
from veloflux.kit.clock import EARLIEST, MINUTE_MS
from veloflux.limits import Question, check, release, reserve
from veloflux.limits import commit as settle
from veloflux.metering import Billed, Event, close_through, read_billed, record, totals
from veloflux.metering.known import known
from veloflux.metering.prune_segments import KEPT_MS
from veloflux.metering.prune_usage import prune_usage
from veloflux.plans import Meter, catalogue

FAR = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}
COUNT, SUM = meter("count"), meter("sum")
REQUESTS = next(one for one in catalogue().meters if one.name == "requests")
LONG_AGO = EARLIEST + DAY
Found = dict[int, tuple[int, int]]
"""Start -> own sum, and what came late."""


async def billed(ctx: Context, of: Meter = REQUESTS) -> Found:
    found = await read_billed(ctx.db, ctx.tenant, [of])
    return {start: (one.amount, one.late) for start, one in found[of.name].items()}


async def cut(ctx: Context, *cuts: int, meters: Sequence[str] = ("requests",)) -> None:
    """Let the tenant's usage be cut at these times, without limits in the way."""
    await put_policy(ctx, rates=(), quotas=(), billed=tuple(meters), cuts=cuts)


async def close(ctx: Context, through: int) -> None:
    tx = Commit(ctx.tenant)
    await close_through(ctx.db, tx, ctx.tenant, through)
    if tx.writes:
        await commit.run(ctx.db, tx)


def segments(of: Meter, events: Sequence[Event], cuts: Sequence[int], closed: int) -> Found:
    """The same from the events alone, none of which comes twice."""
    found: Found = defaultdict(lambda: (0, 0))
    for event in events:
        moment = event.at or 0
        starts = [start for start in cuts if start <= moment]
        if starts:
            own, late = found[starts[-1]]
            amount = 1 if of.aggregation == "count" else event.data["n"]
            found[starts[-1]] = (own, late + amount) if moment < closed else (own + amount, late)
    return dict(found)


def request(id_: str, moment: int) -> Event:
    return Event("http.request", id_, moment, data={"bytes": 1})


def ask(id_: str = "", **terms: object) -> Question:
    return msgspec.structs.replace(Question(meter="requests", id=id_), **terms)


# Close together, so that cuts lie within quarters of an hour and within minutes.
back = st.one_of(st.integers(0, 200_000), st.integers(0, 9 * 3_600_000), st.integers(0, 30 * DAY))
moments = st.builds(lambda ms: NOON - ms, back)
some_jobs = st.lists(
    st.builds(
        lambda id_, moment, n, region: job(f"e{id_}", moment, n, region=region, size="s"),
        st.integers(0, 10**6),
        moments,
        st.integers(-1000, 1000),
        st.sampled_from(["eu", "us", None]),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda event: event.id,
)
some_cuts = st.lists(moments, max_size=6, unique=True).map(lambda found: tuple(sorted(found)))


@given(events=some_jobs, cuts=some_cuts, closed=st.one_of(st.just(0), moments), data=st.data())
@settings(max_examples=40, **FAR)
async def test_any_split_order_and_repetition_leaves_each_amount_in_the_segment_of_its_time(
    one_ctx: Context, events: list[Event], cuts: tuple[int, ...], closed: int, data: st.DataObject
) -> None:
    """And all other counters as they are without segments."""
    acme = await fresh(one_ctx)
    await put_policy(acme, meters=EVERY_METER, billed=("count", "sum", "by_sum"), cuts=cuts)
    await close(acme, closed)
    await in_any_way(acme, events, data)
    for one in (COUNT, SUM, meter("sum", ("region", "size"))):
        assert await billed(acme, one) == segments(one, events, cuts, closed)
    assert await billed(acme, meter("count", ("region", "size"))) == {}
    assert await counters(acme) == expected(events, NOON, closed=closed)


@given(
    events=some_jobs, zone=st.sampled_from(["America/New_York", "Europe/Paris", "Asia/Kathmandu"]), between=some_cuts
)
@settings(max_examples=15, **FAR)
async def test_where_cuts_cover_all_time_the_segments_of_a_month_make_its_total(
    one_ctx: Context, events: list[Event], zone: str, between: tuple[int, ...]
) -> None:
    acme = await fresh(one_ctx)
    months = ["2025-03", "2025-04", "2025-05", "2025-06"]
    bounds = [period.month_bounds(month, zone) for month in months]
    cuts = sorted({*(start for start, _ in bounds), *between})
    await put_policy(acme, meters=(COUNT, SUM), zone=zone, billed=("count", "sum"), cuts=tuple(cuts))
    await counted(acme, events)
    for one in (COUNT, SUM):
        found = await billed(acme, one)
        wanted = [sum(own for at_, (own, _) in found.items() if start <= at_ < end) for start, end in bounds]
        assert [total or 0 for total in await totals(acme.db, acme.tenant, one.key, months)] == wanted


async def test_the_hour_that_a_clock_set_back_shows_twice_is_cut_where_the_day_begins(ctx: Context) -> None:
    """In Havana the clock goes back at 01:00, so that midnight comes twice: the day begins with the first."""
    acme, midnight, hour = (
        await customer(ctx),
        period.day_start(period.day_of(1_762_120_800_000, "UTC"), "UTC"),
        3_600_000,
    )
    first = midnight + 4 * hour
    assert period.day_start(period.day_of(first, "America/Havana"), "America/Havana") == first
    await at(acme, first + DAY)
    await put_policy(acme, zone="America/Havana", rates=(), quotas=(), billed=("requests",), cuts=(first - DAY, first))
    times = (first - 1, first, first + hour - 1, first + hour, first + 2 * hour)
    await counted(acme, [request(f"{time}", time) for time in times])
    assert await billed(acme) == {first - DAY: (1, 0), first: (4, 0)}


STEP = st.one_of(
    st.tuples(st.just("record"), st.lists(st.tuples(st.integers(0, 9), st.integers(-9, 3)), min_size=1, max_size=4)),
    st.tuples(st.just("check"), st.tuples(st.integers(0, 9), st.integers(1, 5))),
    st.tuples(st.just("reserve"), st.integers(1, 5)),
    st.tuples(st.sampled_from(["clock", "cut", "close"]), st.integers(-9, 9)),
)


class Life:
    """A tenant to which this happens, and what its segments must have; times are minutes from NOON."""

    def __init__(self, acme: Context) -> None:
        self.wanted: Found = {}
        self._acme = acme
        self._now, self._cuts, self._closed = NOON, [NOON - 9 * MINUTE_MS], 0
        self._seen: set[int] = set()

    async def record(self, came: Sequence[tuple[int, int]]) -> None:
        events = [request(str(id_), self._now + minutes * MINUTE_MS) for id_, minutes in came]
        for (id_, _), event in zip(came, events, strict=True):
            self._count(id_, event.at or 0, 1)
        await record(self._acme.parts, self._acme.tenant, events)

    async def check(self, came: tuple[int, int]) -> None:
        id_, cost = came
        self._count(id_, self._now, cost)
        with suppress(IdReused):  # with another cost
            await check(self._acme.parts, self._acme.tenant, ask(str(id_), cost=cost))

    async def reserve(self, cost: int) -> None:
        held = await reserve(self._acme.parts, self._acme.tenant, ask(cost=cost + 2))
        await settle(self._acme.parts, self._acme.tenant, held.id, cost)
        self._count(None, self._now, cost)

    async def close(self, minutes: int) -> None:
        self._closed = max(self._closed, NOON + minutes * MINUTE_MS)
        await close(self._acme, self._closed)

    async def clock(self, minutes: int) -> None:
        self._now = NOON + minutes * MINUTE_MS
        await at(self._acme, self._now)
        await cut(self._acme, *self._cuts)

    async def cut(self, minutes: int) -> None:
        self._cuts = sorted({*self._cuts, NOON + minutes * MINUTE_MS})
        await cut(self._acme, *self._cuts)

    def _count(self, id_: int | None, moment: int, amount: int) -> None:
        starts = [start for start in self._cuts if start <= moment]
        if starts and id_ not in self._seen:
            own, late = self.wanted.get(starts[-1], (0, 0))
            self.wanted[starts[-1]] = (own, late + amount) if moment < self._closed else (own + amount, late)
        if id_ is not None:
            self._seen.add(id_)


@given(steps=st.lists(STEP, max_size=25))
@settings(max_examples=40, **FAR)
async def test_whatever_counts_in_whatever_order_is_once_in_the_segment_of_its_moment(
    one_ctx: Context, steps: list[tuple[str, Any]]
) -> None:
    """Cuts and what is closed change between the steps, and the clock goes back too."""
    acme = await customer(one_ctx, ids.bare(ids.new("run")))
    life = Life(acme)
    await life.clock(0)
    for do, what in steps:
        await getattr(life, do)(what)
    assert await billed(acme) == life.wanted


async def test_a_check_and_an_event_with_one_id_count_once_in_the_segment(ctx: Context) -> None:
    acme = await customer(ctx)
    await cut(acme, NOON - DAY, NOON)
    assert (await check(acme.parts, acme.tenant, ask("a", cost=1))).allowed
    await record(acme.parts, acme.tenant, [request("a", NOON - 1), request("b", NOON - 1)])
    await check(acme.parts, acme.tenant, ask("b"))
    await check(acme.parts, acme.tenant, ask("c", dry_run=True))
    assert await billed(acme) == {NOON - DAY: (1, 0), NOON: (1, 0)}


async def test_checks_that_come_at_once_are_in_the_segment_of_the_moment(ctx: Context) -> None:
    acme = await customer(ctx)
    await cut(acme, NOON + 1)
    await asyncio.gather(*(check(acme.parts, acme.tenant, ask(f"nowhere {at_}")) for at_ in range(3)))
    assert await billed(acme) == {}
    await at(acme, NOON + 1)
    await cut(acme, NOON + 1)
    asked = [ask(f"{at_}", cost=2) for at_ in range(40)]
    await asyncio.gather(*(check(acme.parts, acme.tenant, one) for one in asked))
    assert await billed(acme) == {NOON + 1: (80, 0)}


async def test_what_a_reservation_used_is_in_the_segment_of_its_commit(ctx: Context) -> None:
    acme = await customer(ctx)
    await cut(acme, NOON - DAY, NOON + DAY)
    held = [await reserve(acme.parts, acme.tenant, ask(cost=9)) for _ in range(3)]
    assert await billed(acme) == {}
    await settle(acme.parts, acme.tenant, held[0].id, 4)
    await release(acme.parts, acme.tenant, held[1].id)
    await at(acme, NOON + DAY)
    await cut(acme, NOON - DAY, NOON + DAY)
    for _ in range(2):
        await settle(acme.parts, acme.tenant, held[2].id, 7)
    assert await billed(acme) == {NOON - DAY: (4, 0), NOON + DAY: (7, 0)}


async def test_a_process_that_believes_it_is_before_a_cut_counts_behind_it(ctx: Context) -> None:
    """The script knows the time: it answers ROLL."""
    acme = await customer(ctx, clock="")
    begun = clock.now_ms() - 5_000
    await cut(acme, LONG_AGO, begun)
    held = await reserve(acme.parts, acme.tenant, ask())
    known(acme.tenant).learn_time(begun - 5_000)
    await settle(acme.parts, acme.tenant, held.id, 2)
    known(acme.tenant).learn_time(begun - 5_000)
    await check(acme.parts, acme.tenant, ask())
    assert await billed(acme) == {begun: (3, 0)}


async def test_new_cuts_hold_for_whoever_knows_the_former_ones(ctx: Context) -> None:
    """The script knows the policy: it answers STALE."""
    acme = await customer(ctx)
    await cut(acme, LONG_AGO)
    await check(acme.parts, acme.tenant, ask())
    await record(acme.parts, acme.tenant, [request("a", NOON - 2)])
    await cut(acme, LONG_AGO, NOON - 1)
    await check(acme.parts, acme.tenant, ask())
    await record(acme.parts, acme.tenant, [request("b", NOON - 2), request("c", NOON - 1)])
    assert await billed(acme) == {LONG_AGO: (3, 0), NOON - 1: (2, 0)}
    await cut(acme, meters=())
    await check(acme.parts, acme.tenant, ask())
    await record(acme.parts, acme.tenant, [request("d", NOON)])
    assert await billed(acme) == {LONG_AGO: (3, 0), NOON - 1: (2, 0)}


async def test_what_is_closed_takes_nothing_more_of_a_check_though_the_clock_is_set_back(ctx: Context) -> None:
    acme = await customer(ctx)
    await cut(acme, NOON - DAY, NOON)
    held = await reserve(acme.parts, acme.tenant, ask())
    await close(acme, NOON)
    await check(acme.parts, acme.tenant, ask())
    await at(acme, NOON - 1)
    await cut(acme, NOON - DAY, NOON)
    await check(acme.parts, acme.tenant, ask(cost=5))
    await settle(acme.parts, acme.tenant, held.id, 2)
    assert await billed(acme) == {NOON - DAY: (0, 7), NOON: (1, 0)}


async def test_it_closes_forward_only_and_one_at_a_time(ctx: Context) -> None:
    acme = await customer(ctx)
    late = Commit(acme.tenant)
    await close_through(ctx.db, late, acme.tenant, NOON + 1)
    for through in (NOON, NOON - 1, NOON):
        await close(acme, through)
    assert await ctx.db.call("HGET", keys.limits(acme.tenant), "closed_through") == str(NOON)
    with pytest.raises(ChangedMeanwhile):
        await commit.run(ctx.db, late)
    await close(acme, NOON + 1)
    assert await ctx.db.call("HGET", keys.limits(acme.tenant), "closed_through") == str(NOON + 1)


async def balance(acme: Context, seed: int, frozen: Found) -> None:
    """All that was sent is there, and what was closed is as it was read at once."""
    found = await billed(acme)
    assert found[LONG_AGO][0] == frozen.get(LONG_AGO, (0, 0))[0]
    times = [event.at or 0 for event in closing.events(seed)]
    before = sum(time < NOON + 1 for time in times) + closing.CHECKS
    assert sum(found[LONG_AGO]) == before
    assert found.get(NOON + 1, (0, 0)) == (len(times) + closing.CHECKS - before, 0)


async def closes_in_the_middle(acme: Context, after: float) -> Found:
    """Close what lies before NOON + 1, where the clock never comes to, and read it at once."""
    await asyncio.sleep(after)
    await close(acme, NOON + 1)
    return await billed(acme)


async def begun(ctx: Context) -> Context:
    acme = await customer(ctx)
    await cut(acme, LONG_AGO, NOON + 1)
    return acme


@pytest.mark.parametrize("seed", range(25))
async def test_nothing_is_added_to_what_is_closed_and_nothing_is_lost(one_ctx: Context, seed: int) -> None:
    acme = await begun(one_ctx)
    counting = [closing.count_all(acme.parts, acme.tenant, seed, worker) for worker in range(4)]
    frozen, *_ = await asyncio.gather(closes_in_the_middle(acme, seed / 500), *counting)
    await balance(acme, seed, frozen)


@pytest.mark.parametrize("seed", range(4))
async def test_nor_by_other_processes(ctx: Context, seed: int) -> None:
    acme = await begun(ctx)
    running = await crowd.started("tests.metering.closing", acme.db.url, acme.tenant, 3, seed)
    await until(lambda: ctx.db.call("EXISTS", keys.billed(acme.tenant, "requests")))
    frozen = await closes_in_the_middle(acme, seed / 200)
    await crowd.told(running)
    await balance(acme, seed, frozen)


async def test_versions_of_a_meter_add_up_exactly_in_one_round_trip(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    first, second = meter("sum"), meter("sum", version=2, places=2)
    for of, n in ((first, 3), (second, 0.25)):
        await put_policy(acme, meters=(of, COUNT), billed=("sum", "count"), cuts=(LONG_AGO, NOON))
        events = [job(f"{of.key} {at_}", at_, n) for at_ in (NOON - 1, NOON)]
        await counted(acme, events)
    with tape.taped(acme.db) as asked:
        found = await read_billed(acme.db, acme.tenant, [second, first, COUNT])
    assert asked.waves == 1
    assert found == {
        "sum": {LONG_AGO: Billed(325, 0, 2), NOON: Billed(325, 0, 2)},
        "count": {LONG_AGO: Billed(2, 0, 0), NOON: Billed(2, 0, 0)},
    }


async def test_a_tenant_that_is_not_billed_pays_nothing_and_one_that_is_one_key(one_ctx: Context) -> None:
    acme, sizes = await customer(one_ctx), []
    for meters in ((), ("bytes",), ("requests",)):
        await cut(acme, LONG_AGO, meters=meters)
        for id_ in ("begins", "learns", "knows"):
            with tape.taped(acme.db) as asked:
                await check(acme.parts, acme.tenant, ask(f"{meters} {id_}"))
        [words] = asked.commands
        sizes.append((int(words[2]), len(words)))
    (names, words), *_ = sizes
    assert sizes == [(names, words), (names, words), (names + 1, words + 2)]


async def test_segments_are_forgotten_800_days_after_their_end_if_they_are_closed(ctx: Context) -> None:
    acme = await customer(ctx)
    cuts = tuple(NOON - KEPT_MS + days * DAY for days in (-40, -20, 0, 20))
    await cut(acme, *cuts)
    fields = [field for start in cuts for field in (str(start), f"{start}.late")]
    await ctx.db.call("HSET", keys.billed(acme.tenant, "requests"), *(word for field in fields for word in (field, 1)))
    left = []
    for through in (0, cuts[1], cuts[1] + 1, NOON):
        if through:
            await close(acme, through)
        await prune_usage(ctx, None, None)  # type: ignore[arg-type]
        left.append(sorted(await ctx.db.call("HKEYS", keys.billed(acme.tenant, "requests"))))
    assert left == [fields, fields[2:], fields[2:], fields[4:]]
