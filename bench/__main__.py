"""`python -m bench [name …]`: measure, print a table, write docs/benchmarks.md (only when everything was measured)."""

import importlib
import subprocess
import sys

import uvloop

from bench import claims, postgres_server, report
from veloflux.db import embedded

MEASUREMENTS = (
    "http",
    "log_in",
    "events",
    "commit",
    "in_process",
    "memory",
    "seen",
    "usage",
    "wall_timing",
    "fail_over",
    "clusters",
    "postgres",
)


def main(names: list[str]) -> None:
    """Measure those named, or all that this machine has the programs for; exit code 1 when a bar is missed."""
    rows, absent = [], postgres_server.absent()
    for name in names or MEASUREMENTS:
        if name == "postgres" and absent and not names:
            sys.stderr.write(f"not measuring postgres: {absent}\n")
            continue
        sys.stderr.write(f"measuring {name} …\n")
        rows += uvloop.run(importlib.import_module(f"bench.{name}").measure())
    report.print_table(rows)
    if not names:
        server = subprocess.run([str(embedded.binary()), "--version"], check=True, capture_output=True, text=True)
        servers = [server.stdout.split(" bits")[0].strip(), *([] if absent else [postgres_server.version()])]
        report.write_page(rows, "; ".join(servers), claims.section(rows, absent))
    raise SystemExit(0 if all(row.passes for row in rows) else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
