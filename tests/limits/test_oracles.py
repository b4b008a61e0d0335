"""The three algorithms agree with those of two libraries on the same timelines, and keep their own promises."""

from collections.abc import Sequence
from types import SimpleNamespace

import limits.storage.memory
import limits.strategies
import pytest
import throttled.utils
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from limits import RateLimitItemPerSecond
from throttled import MemoryStore, Throttled, rate_limiter

from veloflux.context import Context
from veloflux.db.scripts import PARTS, Script

START = 1_747_494_000_000
COUNT, WINDOW_MS, BURST = 5, 1_000, 7
EMISSION_MS = WINDOW_MS // COUNT
SOURCE = f"""#!lua
{(PARTS / "rates.lua").read_text("utf-8")}
local rate = ({{gcra = gcra, window = window, log = log}})[ARGV[1]]
local state, passed = false, {{}}
for at = 4, #ARGV, 2 do
  local micros, cost = ARGV[at] * 1000, tonumber(ARGV[at + 1])
  local wait, after, _, _, cut = rate(state, micros, cost, tonumber(ARGV[2]), tonumber(ARGV[3]))
  state = wait == 0 and after or cut or state
  passed[#passed + 1] = wait > 0 and math.ceil(wait / 1000) or 0
end
return {{'OK', unpack(passed)}}
"""
TIMELINE = Script("tests/rates", SOURCE, "0" * 40, 1, False, frozenset(), frozenset({"OK"}))

Timeline = Sequence[tuple[int, int]]
"""Times in ms, each with a cost."""

# Two times never differ by whole emissions or windows, where the libraries' floating point decides.
timelines = st.lists(st.tuples(st.integers(0, 12), st.integers(1, 3)), min_size=1, max_size=60).map(
    lambda steps: [
        (START + 1 + sum(gap for gap, _ in steps[: at + 1]) * EMISSION_MS // 2 + 2 * at, cost)
        for at, (_, cost) in enumerate(steps)
    ]
)
FIFTHS = [(5_009, 1), (5_011, 1), (5_013, 3), (6_015, 1), (6_017, 1)]
"""What waits until just a fifth of the window before has left: a fraction that floating point does not hold."""
tried = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


async def waits(ctx: Context, algorithm: str, timeline: Timeline, *numbers: int) -> list[int]:
    """How long each has to wait, in ms: 0 if it passes."""
    words = [word for at_and_cost in timeline for word in at_and_cost]
    [_, *found] = await ctx.db.script(TIMELINE, ["vf:none"], [algorithm, *numbers, *words])
    return found


async def passed(ctx: Context, algorithm: str, timeline: Timeline) -> list[bool]:
    numbers = (EMISSION_MS * 1000, BURST * EMISSION_MS * 1000) if algorithm == "gcra" else (COUNT, WINDOW_MS * 1000)
    return [wait == 0 for wait in await waits(ctx, algorithm, timeline, *numbers)]


@given(timelines)
@tried
async def test_gcra_agrees_with_throttled(
    one_ctx: Context, monkeypatch: pytest.MonkeyPatch, timeline: Timeline
) -> None:
    quota = rate_limiter.per_sec(COUNT, burst=BURST)
    oracle = Throttled(key="k", using="gcra", quota=quota, store=MemoryStore())
    expected = []
    for at, cost in timeline:
        clock = SimpleNamespace(monotonic=lambda at=at: (at - START) / 1000, time=lambda at=at: at / 1000)
        monkeypatch.setattr(throttled.utils, "time", clock)
        expected.append(not oracle.limit(cost=cost).limited)
    assert await passed(one_ctx, "gcra", timeline) == expected


@pytest.mark.parametrize(
    ("algorithm", "strategy"),
    [
        ("log", limits.strategies.MovingWindowRateLimiter),
        ("window", limits.strategies.SlidingWindowCounterRateLimiter),
    ],
)
@given(timeline=timelines)
@tried
async def test_the_sliding_windows_agree_with_limits(
    one_ctx: Context,
    monkeypatch: pytest.MonkeyPatch,
    algorithm: str,
    strategy: type[limits.strategies.RateLimiter],
    timeline: Timeline,
) -> None:
    oracle, item = strategy(limits.storage.memory.MemoryStorage()), RateLimitItemPerSecond(COUNT)
    expected = []
    for at, cost in timeline:
        monkeypatch.setattr(limits.storage.memory, "time", SimpleNamespace(time=lambda at=at: at / 1000))
        expected.append(oracle.hit(item, "k", cost=cost))
    assert await passed(one_ctx, algorithm, timeline) == expected


@given(timelines)
@tried
async def test_what_passes_in_any_interval_is_bounded(one_ctx: Context, timeline: Timeline) -> None:
    for algorithm in ("gcra", "log"):
        answers = zip(timeline, await passed(one_ctx, algorithm, timeline), strict=True)
        counted = [(at, cost) for (at, cost), allowed in answers if allowed]
        for start in range(len(counted)):
            for end in range(start, len(counted)):
                interval = counted[end][0] - counted[start][0]
                units = sum(cost for _, cost in counted[start : end + 1])
                if algorithm == "gcra":
                    assert units <= BURST + interval // EMISSION_MS
                elif interval <= WINDOW_MS:
                    assert units <= COUNT


@pytest.mark.parametrize("algorithm", ["gcra", "window", "log"])
@given(timeline=timelines)
@example(timeline=[(START + at, cost) for at, cost in FIFTHS])
@tried
async def test_who_waits_as_long_as_was_said_may_pass_and_not_before(
    one_ctx: Context, algorithm: str, timeline: Timeline
) -> None:
    numbers = (EMISSION_MS * 1000, BURST * EMISSION_MS * 1000) if algorithm == "gcra" else (COUNT, WINDOW_MS * 1000)
    *before, (at, _) = timeline
    for cost in (1, 3):
        [*_, wait] = await waits(one_ctx, algorithm, [*before, (at, cost)], *numbers)
        [*_, then] = await waits(one_ctx, algorithm, [*before, (at + wait, cost)], *numbers)
        assert then == 0
        if wait > 1:
            [*_, early] = await waits(one_ctx, algorithm, [*before, (at + wait - 2, cost)], *numbers)
            assert early > 0
