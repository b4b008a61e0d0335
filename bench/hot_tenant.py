"""What one tenant can reach: its checks all go to one master, from two processes at once, as many as cores are here.

The processor time of the server's main thread for a check bounds what more processes on further cores could get.
"""

import asyncio
import os
import re
import sys

import msgspec
import uvloop

from bench.in_process import CLIENTS, checking
from bench.load import ROUNDS, SECONDS
from bench.report import Row
from bench.rounds import drive
from bench.stage import Stage, stage
from veloflux import settings, wiring
from veloflux.settings import environment

PROCESSES, MODES = 2, ("everysec", "always")
WARM_UP_S = 0.5


class Round(msgspec.Struct, frozen=True):
    """Checks a second of all processes, and µs of the server's processor for each."""

    per_second: float
    micros: float


async def measure() -> list[Row]:
    return [await _row(how) for how in MODES]


async def _row(how: str) -> Row:
    async with stage(how) as target:
        rounds = sorted([await _round(target) for _ in range(ROUNDS)], key=lambda one: one.per_second)
    done = rounds[len(rounds) // 2]
    return Row(
        what=f"check of one hot tenant on one master, {PROCESSES} processes, {CLIENTS} concurrent each, "
        f"three rate limits and a quota, appendfsync {how}",
        script="hot_tenant.py",
        figure=done.per_second,
        unit="checks/s",
        notes=f"{done.micros:.1f} µs of the server's processor for a check: at most {1e6 / done.micros:,.0f}/s",
    )


async def _round(target: Stage) -> Round:
    """All begin when all are ready."""
    env = environment(target.settings) | {"BENCH_TENANT": target.ctx.tenant, "BENCH_KEY": " ".join(target.key)}
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "bench.hot_tenant", str(SECONDS))
    running = [
        await asyncio.create_subprocess_exec(*command, env=env, stdin=pipe, stdout=pipe) for _ in range(PROCESSES)
    ]
    for one in running:
        assert one.stdout
        await one.stdout.readline()
    before = await _busy_s(target)
    outs = await asyncio.gather(*(one.communicate(b"go\n") for one in running))
    rates, numbers = zip(*(map(float, out.split()) for out, _ in outs), strict=True)
    return Round(sum(rates), (await _busy_s(target) - before) * 1e6 / sum(numbers))


async def _busy_s(target: Stage) -> float:
    """Processor seconds of the server's main thread until now."""
    [text] = await target.ctx.db.every_master("INFO", "cpu")
    return sum(map(float, re.findall(r"used_cpu_(?:user|sys)_main_thread:([\d.]+)", text)))


async def _ask(seconds: float) -> None:
    """One of the processes: says that it is ready, waits for a line, and prints checks a second and checks."""
    async with wiring.build(settings.load()) as parts:
        key = os.environ["BENCH_KEY"].split()
        call = checking(parts, os.environ["BENCH_TENANT"], (key[0], key[1]))
        await drive(call, CLIENTS, WARM_UP_S)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        done = await drive(call, CLIENTS, seconds)
        sys.stdout.write(f"{done.per_second} {len(done.took)}")


if __name__ == "__main__":
    uvloop.run(_ask(float(sys.argv[1])))
