"""`python -m bench [name …]`: measure, print a table, write docs/benchmarks.md (only when everything was measured)."""

import importlib
import subprocess
import sys

import uvloop

from bench import report
from veloflux.db import embedded

MEASUREMENTS = ("http", "log_in", "events", "commit", "in_process", "memory", "usage", "wall_timing")


def main(names: list[str]) -> None:
    """Measure those named, or all; exit code 1 when a bar is missed."""
    rows = []
    for name in names or MEASUREMENTS:
        sys.stderr.write(f"measuring {name} …\n")
        rows += uvloop.run(importlib.import_module(f"bench.{name}").measure())
    report.print_table(rows)
    if not names:
        server = subprocess.run([str(embedded.binary()), "--version"], check=True, capture_output=True, text=True)
        report.write_page(rows, server.stdout.split(" bits")[0].strip())
    raise SystemExit(0 if all(row.passes for row in rows) else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
