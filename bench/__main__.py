"""`python -m bench [name …]`: measure, print a table, write docs/benchmarks.md (only when everything was measured)."""

import argparse
import importlib
import subprocess
import sys
import time
from collections.abc import Sequence

import uvloop

from bench import claims, postgres_server, report
from bench.comparison import Sizes
from bench.report import Row
from veloflux.db import embedded

WITH_POSTGRES = ("postgres", "postgres_stored")
MEASUREMENTS = (
    "http",
    "log_in",
    "events",
    "commit",
    "in_process",
    "hot_tenant",
    "memory",
    "meter_memory",
    "seen",
    "usage",
    "closing",
    "preview",
    "invoice_memory",
    "wall_timing",
    "fail_over",
    "clusters",
    *WITH_POSTGRES,
)


def main(words: Sequence[str]) -> None:
    """Measure those named, or all that this machine has the programs for; exit code 1 when a bar is missed."""
    asked, absent = arguments(words), postgres_server.absent()
    names = asked.names or [name for name in MEASUREMENTS if not (absent and name in WITH_POSTGRES)]
    if absent and not asked.names:
        sys.stderr.write(f"not comparing with PostgreSQL: {absent}\n")
    rows = [row for number, name in enumerate(names, 1) for row in _measured(name, number, len(names), asked.stored)]
    report.print_table(rows)
    if not asked.names:
        server = subprocess.run([str(embedded.binary()), "--version"], check=True, capture_output=True, text=True)
        servers = [server.stdout.split(" bits")[0].strip(), *([] if absent else [postgres_server.version()])]
        report.write_page(rows, "; ".join(servers), claims.section(rows, absent))
    raise SystemExit(0 if all(row.passes for row in rows) else 1)


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """`names`, and how many events are `stored`.

    :raises SystemExit: the words mean nothing; what may be said is printed.
    """
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure, and print a table.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"all, if none is named: {', '.join(MEASUREMENTS)}")
    stored = Sizes().stored
    parser.add_argument(
        "--stored", type=int, default=stored, metavar="N", help=f"events of postgres_stored ({stored:,})"
    )
    asked = parser.parse_args(words)
    if unknown := [name for name in asked.names if name not in MEASUREMENTS]:
        parser.error(f"nothing measures {', '.join(unknown)}; choose from {', '.join(MEASUREMENTS)}")
    return asked


def _measured(name: str, number: int, of: int, stored: int) -> list[Row]:
    """The rows of one, each said as soon as it is known."""
    sys.stderr.write(f"{number}/{of} measuring {name} …\n")
    began, module = time.monotonic(), importlib.import_module(f"bench.{name}")
    sizes = (Sizes(stored=stored),) if name in WITH_POSTGRES else ()
    rows: list[Row] = uvloop.run(module.measure(*sizes))
    for row in rows:
        sys.stderr.write("  " + " | ".join(cell for cell in row.cells() if cell) + "\n")
    sys.stderr.write(f"  {time.monotonic() - began:.0f} s\n")
    return rows


if __name__ == "__main__":
    main(sys.argv[1:])
