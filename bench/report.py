"""Rows of figures, as a table and as docs/benchmarks.md."""

import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psutil
from rich.console import Console
from rich.table import Table

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


class Latency(msgspec.Struct, frozen=True):
    """Of a call, in ms."""

    median_ms: float
    p99_ms: float


class Row(msgspec.Struct, kw_only=True):
    """`ceiling` is what the same machine could do at best, or what a peer does on it, measured beside the figure; `bar`
    what is asked for.

    A bar below 1 is of the ratio, else of the figure, and `most` is one from above; `times` is of the ratio. `alone` is
    how long a call takes when nobody else calls, `loaded` when all of the row's callers do.
    """

    what: str
    script: str
    figure: float
    unit: str
    ceiling: float = 0.0
    ceiling_is: str = ""
    bar: float = 0.0
    most: float = 0.0
    times: float = 0.0
    notes: str = ""
    alone: Latency | None = None
    loaded: Latency | None = None

    @property
    def ratio(self) -> float:
        return self.figure / self.ceiling if self.ceiling else 0.0

    @property
    def passes(self) -> bool:
        if self.times:
            return self.ratio >= self.times
        if self.most:
            return (self.ratio if self.most < 1 else self.figure) <= self.most
        return not self.bar or (self.ratio if self.bar < 1 else self.figure) >= self.bar

    @property
    def asked(self) -> str:
        """The bar in words, and whether it is missed."""
        if not (self.bar or self.most or self.times):
            return ""
        words = f"at most {self.most:,g}" if self.most else f"at least {self.bar or self.times:,g}"
        words += " times" if self.times else ""
        return words if self.passes else f"{words} (missed)"

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
