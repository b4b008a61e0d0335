"""Import the whole example log of elastic/examples and hold every figure against what is known of it:
`python -m bench.access_log <apache_access.log>`. Whole, again, grown by five lines, and killed in the middle.
"""

import asyncio
import sys
import time
from pathlib import Path

import msgspec
import uvloop

from bench.stage import stage
from veloflux import tenants
from veloflux.context import Context
from veloflux.metering import access_log, import_log, read_usage
from veloflux.settings import environment
from veloflux.tenants import EVERYTHING

LINES, BYTES = 10_000, 2_747_282_740
DAYS = {
    "America/Sao_Paulo": {"2015-05-17": 1991, "2015-05-18": 2898, "2015-05-19": 2895, "2015-05-20": 2216},
    "UTC": {"2015-05-17": 1632, "2015-05-18": 2893, "2015-05-19": 2896, "2015-05-20": 2579},
}
KILLS_AFTER_LINES = (1, 3_000, 7_000)


async def main(log: Path) -> None:
    """Do everything; the first figure that differs ends it."""
    async with stage() as target:
        for zone in DAYS:
            ctx = await _tenant(target.ctx, zone)
            await _whole(ctx, log, zone)
            await _again_and_grown(ctx, log)
        ctx = await _tenant(target.ctx, "UTC")
        for lines in KILLS_AFTER_LINES:
            await _killed(ctx, environment(target.settings), log, lines)
        with log.open("rb") as file:
            report = await import_log(ctx, access_log.lines(file))
        _expect("lines after the next import", (await read_usage(ctx, "requests")).total, LINES)
        _expect("recorded and recognised", report.recorded + report.duplicates, LINES)


async def _tenant(ctx: Context, zone: str) -> Context:
    outside = msgspec.structs.replace(ctx, scope=None, permissions=frozenset())
    made = await tenants.create_tenant(outside, f"Log {time.monotonic_ns()}", plan="pro", zone=zone)
    return outside.within(tenants.scope_of(made), EVERYTHING)


async def _whole(ctx: Context, log: Path, zone: str) -> None:
    with log.open("rb") as file:
        report = await import_log(ctx, access_log.lines(file))
    figures = (report.read, report.recorded, report.duplicates, report.bad, report.bytes)
    _expect("read, recorded, duplicates, bad, bytes", figures, (LINES, LINES, 0, 0, BYTES))
    days = {row.start: row.value for row in (await read_usage(ctx, "requests")).rows}
    _expect(f"requests by day in {zone}", days, DAYS[zone])
    _expect("bytes of all days", (await read_usage(ctx, "bytes")).total, BYTES)


async def _again_and_grown(ctx: Context, log: Path) -> None:
    with log.open("rb") as file:
        lines = list(access_log.lines(file))
    again = await import_log(ctx, lines)
    _expect("recorded of the same log", again.recorded, 0)
    grown = await import_log(ctx, [*lines, *(line + b" grown" for line in lines[:5])])
    _expect("recorded of the log with five more lines", grown.recorded, 5)


async def _killed(ctx: Context, environ: dict[str, str], log: Path, lines: int) -> None:
    """Run the command, and kill it when so many lines are recorded."""
    command = (sys.executable, "-m", "veloflux", "usage", "import", str(log), "--tenant", ctx.tenant, "--json")
    nowhere = asyncio.subprocess.DEVNULL
    running = await asyncio.create_subprocess_exec(*command, env=environ, stdout=nowhere, stderr=nowhere)
    while int(str((await read_usage(ctx, "requests")).total)) < lines:
        continue  # reading lets the other process go on
    running.kill()
    await running.wait()
    _say("killed; lines recorded until then", (await read_usage(ctx, "requests")).total)


def _expect(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise SystemExit(f"{what}: {found} instead of {expected}")
    _say(what, found)


def _say(what: str, found: object) -> None:
    sys.stdout.write(f"{what}: {found}\n")


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1])))
