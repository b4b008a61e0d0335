"""Rounds, what is made of them, and the bars of a row."""

import asyncio
from itertools import pairwise

import pytest

from bench.comparison import EVERYSEC, OURS, Job, compared
from bench.report import Latency, Row
from bench.rounds import Round, Way, drive, in_turn, latency_of, middle


async def nothing() -> None:
    await asyncio.sleep(0)


def job(*ways: str, times: float | None = None) -> Job:
    calls = dict.fromkeys(ways, nothing)
    return Job(what="job", unit="jobs/s", ours=nothing, theirs=calls, at_once=8, each=10, times=times)


def rounds(*per_second: float) -> list[Round]:
    return [Round(one, [1 / one]) for one in per_second]


def test_a_row_compares_the_medians_and_says_how_far_the_rounds_lie_apart() -> None:
    done = {OURS: rounds(30, 10, 20), "b": rounds(5, 4, 9), EVERYSEC: rounds(40, 40, 41)}
    alone = {OURS: Latency(0.5, 0.8), "b": Latency(2.0, 3.0)}
    made = compared(job("b", times=4), "b", done, alone, judged=True)
    assert (made.what, made.figure, made.ceiling, made.ratio, made.passes) == ("job, 8 at once", 200, 50, 4.0, True)
    assert made.notes == (
        "rounds 100 to 300 against 40 to 90; 400 with appendfsync everysec; a call alone 0.50 ms against 2.00 ms"
    )
    assert (made.alone, made.loaded) == (Latency(0.5, 0.8), Latency(50.0, 100.0))


def test_only_the_way_that_is_judged_has_the_bar_and_the_latencies() -> None:
    done = {OURS: rounds(10), "a": rounds(5), "b": rounds(1)}
    alone = dict.fromkeys(done, Latency(1.0, 1.0))
    first, other = (compared(job("a", "b", times=10), name, done, alone, judged=name == "a") for name in ("a", "b"))
    assert (first.what, first.asked) == ("job, 8 at once; PostgreSQL: a", "ratio at least 10 (missed)")
    assert (other.what, other.asked, other.alone, other.loaded) == ("job, 8 at once; PostgreSQL: b", "", None, None)


@pytest.mark.parametrize(
    ("bars", "figure", "said"),
    [
        ({"least_ratio": 10}, 100, "ratio at least 10"),
        ({"least_ratio": 10}, 99, "ratio at least 10 (missed)"),
        ({"most_ratio": 0.2}, 2, "ratio at most 0.2"),
        ({"most_ratio": 0.2}, 3, "ratio at most 0.2 (missed)"),
        ({"most": 0}, 0, "at most 0"),
        ({"most": 0}, 1, "at most 0 (missed)"),
        ({"least": 60_000}, 60_000, "at least 60,000"),
        ({"least": 60_000}, 59_999, "at least 60,000 (missed)"),
        ({"under_ms": 7.1}, 1, "p99 under 7.1 ms"),
        ({"under_ms": 7}, 1, "p99 under 7 ms (missed)"),
        ({"least": 5, "least_ratio": 0.6, "under_ms": 8}, 5, "at least 5; ratio at least 0.6 (missed); p99 under 8 ms"),
        ({"failed": 3}, 1, "no call fails, 3 did (missed)"),
        ({}, 1, ""),
    ],
)
def test_each_bar_is_said_and_whether_it_is_missed(bars: dict[str, float], figure: float, said: str) -> None:
    made = Row(what="job", script="x.py", figure=figure, unit="jobs", ceiling=10, loaded=Latency(1, 7), **bars)  # type: ignore[arg-type]
    assert (made.asked, made.passes) == (said, "missed" not in said)


async def test_ways_take_turns_and_the_first_round_is_not_kept() -> None:
    calls: list[str] = []

    def way(name: str) -> Way:
        async def call() -> None:
            calls.append(name)
            await asyncio.sleep(0.001)

        async def before() -> None:
            calls.append("before " + name)

        return Way(call, before)

    done = await in_turn({"a": way("a"), "b": way("b")}, 2, 2, 0.01)
    assert {name: len(kept) for name, kept in done.items()} == {"a": 2, "b": 2}
    turns = [name for name, then in pairwise(["", *calls]) if then != name and then.startswith("before")]
    assert [name for name in calls if name.startswith("before")] == [f"before {name}" for name in "baabba"]
    assert len(turns) == 6


async def test_a_call_that_has_begun_counts() -> None:
    async def call() -> None:
        await asyncio.sleep(0.01)

    done = await drive(call, 3, 0.000_1)
    assert len(done.took) == 3


def test_the_middle_and_the_slowest_hundredth() -> None:
    assert middle(rounds(1, 100, 3)) == 3
    assert latency_of([0.001 * n for n in range(1, 101)]) == Latency(pytest.approx(50.5), pytest.approx(99.0))
    assert latency_of([0.004]) == Latency(4.0, 4.0)
