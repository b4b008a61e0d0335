"""Rows of figures, as a table and as docs/benchmarks.md."""

import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
import psutil
from rich.console import Console
from rich.table import Table

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


class Latency(msgspec.Struct, frozen=True):
    """Of a call, in ms."""

    median_ms: float
    p99_ms: float


class Bar(NamedTuple):
    """What is asked of a row, in words, and whether the row is so."""

    words: str
    met: bool


class Row(msgspec.Struct, kw_only=True):
    """`ceiling` is what the same machine could do at best, or what a peer does on it, measured beside the figure.

    `least` and `most` are bars of the figure, `least_ratio` and `most_ratio` of its ratio to the ceiling, `under_ms` of
    the slowest hundredth of the calls; None: nothing is asked. A row of which a call `failed` does not pass. `alone` is
    how long a call takes when nobody else calls, `loaded` when all of the row's callers do.
    """

    what: str
    script: str
    figure: float
    unit: str
    ceiling: float = 0.0
    ceiling_is: str = ""
    least: float | None = None
    most: float | None = None
    least_ratio: float | None = None
    most_ratio: float | None = None
    under_ms: float | None = None
    failed: int = 0
    notes: str = ""
    alone: Latency | None = None
    loaded: Latency | None = None

    @property
    def ratio(self) -> float:
        return self.figure / self.ceiling if self.ceiling else 0.0

    @property
    def bars(self) -> list[Bar]:
        """Those that there are."""
        made = []
        if self.least is not None:
            made.append(Bar(f"at least {self.least:,g}", self.figure >= self.least))
        if self.most is not None:
            made.append(Bar(f"at most {self.most:,g}", self.figure <= self.most))
        if self.least_ratio is not None:
            made.append(Bar(f"ratio at least {self.least_ratio:g}", self.ratio >= self.least_ratio))
        if self.most_ratio is not None:
            made.append(Bar(f"ratio at most {self.most_ratio:g}", self.ratio <= self.most_ratio))
        if self.under_ms is not None:
            made.append(Bar(f"p99 under {self.under_ms:g} ms", self._p99_ms < self.under_ms))
        if self.failed:
            made.append(Bar(f"no call fails, {self.failed:,} did", False))
        return made

    @property
    def _p99_ms(self) -> float:
        taken = self.loaded or self.alone
        assert taken, "who asks how long calls take says how long they take"
        return taken.p99_ms

    @property
    def passes(self) -> bool:
        return all(bar.met for bar in self.bars)

    @property
    def asked(self) -> str:
        """The bars in words, and whether they are missed."""
        return "; ".join(words if met else f"{words} (missed)" for words, met in self.bars)

    def cells(self) -> list[str]:
        """Figure, ceiling, ratio, bar and notes as texts."""
        return [
            self.what,
            f"{self.figure:,.{0 if self.figure >= 100 else 1}f} {self.unit}",
            f"{self.ceiling:,.0f} {self.ceiling_is}" if self.ceiling else "",
            f"{self.ratio:.2f}" if self.ceiling else "",
            self.asked,
            self.notes,
        ]


HEAD = ["what", "figure", "ceiling", "ratio", "bar", "notes"]


def print_table(rows: Sequence[Row]) -> None:
    """For the person who waits."""
    table = Table(*HEAD, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row.cells())
    Console().print(table)


def write_page(rows: Sequence[Row], servers: str, claims: Sequence[str]) -> None:
    """docs/benchmarks.md, with the machine's description and what becomes of the plan's claims."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`: each figure stands beside its ceiling, measured in the same run on the same machine.",
        "The machine is shared by everything that is measured: the servers, the web process and the load generator.",
        "",
        f"Measured on {datetime.now(UTC).date().isoformat()}: {machine()}; {servers}.",
        "",
        "| " + " | ".join([*HEAD, "script"]) + " |",
        "|" + "---|" * (len(HEAD) + 1),
        *("| " + " | ".join([*row.cells(), f"`bench/{row.script}`"]) + " |" for row in rows),
        "",
        *claims,
    ]
    PAGE.write_text("\n".join(lines) + "\n", "utf-8")


def machine() -> str:
    """Processor, memory and system in one line."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    memory = psutil.virtual_memory().total / 2**30
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{psutil.cpu_count()} cores of {model}, {memory:.0f} GB, {system}"


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text().splitlines() if file.exists() else []
