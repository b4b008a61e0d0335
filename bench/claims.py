"""The three claims of the product's plan, held against the rows: each sentence of the page follows from figures.

An operation is a row that says how long its calls take; further rows may say how it stands to PostgreSQL asked in
another way.
"""

from collections.abc import Sequence

from bench.report import Latency, Row

PEER = "PostgreSQL"
LATENCY_MS, PER_SECOND, TIMES = 1, 100_000, 10
HOLDS = "holds"
CLAIMS = ("under 1 ms", "100,000+ operations a second", "10 times faster than PostgreSQL")


def section(rows: Sequence[Row], absent: str = "") -> list[str]:
    """The lines of the page; `absent` is why there is no comparison with PostgreSQL."""
    operations = [row for row in rows if row.alone or row.loaded or _is_compared(row)]
    verdicts = [(under_1_ms(row), many_a_second(row), against_postgres(row)) for row in operations]
    return [
        "## The claims of the plan",
        "",
        "The plan of the product claims three things of all that it does. Operation by operation, as measured here:",
        "",
        *(f"- {summary(claim, [row[at] for row in verdicts])}" for at, claim in enumerate(CLAIMS)),
        *([f"- There is no comparison with {PEER} on this page: {absent}."] if absent else []),
        "",
        "| operation | " + " | ".join(CLAIMS) + " |",
        "|" + "---|" * (len(CLAIMS) + 1),
        *(f"| {row.what} | " + " | ".join(said) + " |" for row, said in zip(operations, verdicts, strict=True)),
    ]


def summary(claim: str, verdicts: Sequence[str]) -> str:
    """For how many of the operations that say something of a claim it holds without reserve.

    >>> summary("under 1 ms", ["holds: p99 0.2 ms", "does not hold: p99 3.0 ms", ""])
    '"under 1 ms" holds for 1 of 2 operations.'
    """
    measured = [verdict for verdict in verdicts if verdict]
    holding = [verdict for verdict in measured if verdict.startswith(f"{HOLDS}:")]
    if not measured:
        return f'"{claim}" was not measured.'
    if len(holding) == len(measured):
        return f'"{claim}" {HOLDS} for all of {len(measured)} operations.'
    return f'"{claim}" {HOLDS} for {len(holding) or "none"} of {len(measured)} operations.'


def under_1_ms(row: Row) -> str:
    """Whether a call takes less, under load and alone; "" where it is said elsewhere."""
    if not (row.alone or row.loaded):
        return ""
    if row.loaded and row.loaded.p99_ms < LATENCY_MS:
        return f"{HOLDS}: {_said(row.loaded)}"
    load = f"; under this load {_said(row.loaded)}" if row.loaded else ""
    if row.alone and row.alone.p99_ms < LATENCY_MS:
        return f"{HOLDS} for a call alone: {_said(row.alone)}{load}"
    if row.alone and row.alone.median_ms < LATENCY_MS:
        return f"{HOLDS} for most calls alone: {_said(row.alone)}{load}"
    shown = row.alone or row.loaded
    assert shown, "an operation says how long its calls take"
    return f"does not hold: {_said(shown)}{load if row.alone else ''}"


def many_a_second(row: Row) -> str:
    """Whether as many are done; "" where it is said elsewhere."""
    if not (row.alone or row.loaded):
        return ""
    if row.figure >= PER_SECOND:
        return f"{HOLDS}: {row.figure:,.0f} {row.unit}"
    return f"does not hold: {row.figure:,.{0 if row.figure >= 100 else 1}f} {row.unit}"


def against_postgres(row: Row) -> str:
    """Whether it is as many times faster; "" where they were not compared."""
    if row.ceiling_is != PEER:
        return ""
    if row.ratio >= TIMES:
        return f"{HOLDS}: {row.ratio:.1f} times"
    if row.ratio >= 1:
        return f"does not hold: {row.ratio:.1f} times"
    return f"does not hold: {PEER} is {1 / row.ratio:.1f} times faster"


def _is_compared(row: Row) -> bool:
    return row.ceiling_is == PEER and row.unit.endswith("/s")


def _said(latency: Latency) -> str:
    return f"median {latency.median_ms:.2f} ms, p99 {latency.p99_ms:.2f} ms"
