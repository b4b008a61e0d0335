"""The sentences about the plan's claims say what the figures say."""

import pytest

from bench.claims import against_postgres, many_a_second, section, summary, under_1_ms
from bench.report import Latency, Row

FAST, SLOW, UNEVEN = Latency(0.2, 0.9), Latency(3.0, 8.0), Latency(0.4, 1.5)


def row(what: str = "job", *, figure: float = 10.0, ceiling: float = 0.0, **more: object) -> Row:
    named = {"ceiling": ceiling, "ceiling_is": "PostgreSQL"} if ceiling else {}
    return Row(what=what, script="postgres.py", figure=figure, unit="jobs/s", **named, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("alone", "loaded", "said"),
    [
        (FAST, FAST, "holds: median 0.20 ms, p99 0.90 ms"),
        (None, FAST, "holds: median 0.20 ms, p99 0.90 ms"),
        (
            FAST,
            SLOW,
            "holds for a call alone: median 0.20 ms, p99 0.90 ms; under this load median 3.00 ms, p99 8.00 ms",
        ),
        (
            UNEVEN,
            SLOW,
            "holds for most calls alone: median 0.40 ms, p99 1.50 ms; under this load median 3.00 ms, p99 8.00 ms",
        ),
        (SLOW, SLOW, "does not hold: median 3.00 ms, p99 8.00 ms; under this load median 3.00 ms, p99 8.00 ms"),
        (SLOW, None, "does not hold: median 3.00 ms, p99 8.00 ms"),
        (None, SLOW, "does not hold: median 3.00 ms, p99 8.00 ms"),
    ],
)
def test_a_latency_is_judged_under_load_and_then_alone(
    alone: Latency | None, loaded: Latency | None, said: str
) -> None:
    assert under_1_ms(row(alone=alone, loaded=loaded)) == said


def test_exactly_1_ms_is_not_under_it() -> None:
    assert under_1_ms(row(loaded=Latency(0.9, 1.0))).startswith("does not hold")


@pytest.mark.parametrize(
    ("figure", "said"),
    [
        (100_000.0, "holds: 100,000 jobs/s"),
        (99_999.0, "does not hold: 99,999 jobs/s"),
        (45.62, "does not hold: 45.6 jobs/s"),
    ],
)
def test_a_rate_is_judged_by_the_figure(figure: float, said: str) -> None:
    assert many_a_second(row(figure=figure, loaded=SLOW)) == said


@pytest.mark.parametrize(
    ("ceiling", "said"),
    [
        (1.0, "holds: 10.0 times"),
        (4.0, "does not hold: 2.5 times"),
        (20.0, "does not hold: PostgreSQL is 2.0 times faster"),
        (0.0, ""),
    ],
)
def test_the_peer_may_win(ceiling: float, said: str) -> None:
    assert against_postgres(row(ceiling=ceiling)) == said


def test_another_ceiling_is_no_peer() -> None:
    bare = row(figure=100.0)
    bare.ceiling, bare.ceiling_is = 1.0, "bare handler"
    assert against_postgres(bare) == ""


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        (["holds: a", "holds: b"], "holds for all of 2 operations."),
        (["holds: a", "does not hold: b", ""], "holds for 1 of 2 operations."),
        (["holds for a call alone: a"], "holds for none of 1 operations."),
        (["", ""], "was not measured."),
    ],
)
def test_a_reserve_is_no_yes_and_what_was_not_measured_counts_for_nothing(verdicts: list[str], said: str) -> None:
    assert summary("quick", verdicts) == f'"quick" {said}'


def test_another_way_of_the_peer_is_compared_and_counts_for_no_other_claim() -> None:
    spent = row("spend", figure=5e5, ceiling=1.0, alone=FAST, loaded=FAST)
    lines = section([spent, row("spend, shared", figure=5e5, ceiling=1e5)])
    assert "| spend, shared |  |  | does not hold: 5.0 times |" in lines
    assert '- "under 1 ms" holds for all of 1 operations.' in lines
    assert '- "100,000+ operations a second" holds for all of 1 operations.' in lines
    assert '- "10 times faster than PostgreSQL" holds for 1 of 2 operations.' in lines


def test_the_section_has_a_line_for_each_operation_and_says_what_is_absent() -> None:
    rows = [row("spend", ceiling=1.0, alone=FAST, loaded=FAST), row("sign in", loaded=SLOW), row("memory")]
    lines = section(rows, "not installed")
    table = [line for line in lines if line.startswith("|")]
    assert [line.split(" | ")[0] for line in table[2:]] == ["| spend", "| sign in"]
    assert {line.count("|") for line in table} == {5}
    assert '- "10 times faster than PostgreSQL" holds for all of 1 operations.' in lines
    assert "- There is no comparison with PostgreSQL on this page: not installed." in lines
    assert not any("no comparison" in line for line in section(rows))
