"""A month of hours: what a chart of usage asks, of a meter that was used in every quarter of an hour."""

import statistics
import time
from datetime import date

from bench.report import Row
from bench.stage import Stage, stage
from veloflux.db import keys
from veloflux.kit.clock import DAY_MS, now_ms
from veloflux.kit.period import QUARTERS_A_DAY, utc_day
from veloflux.metering import read_usage

DAYS = 31
QUESTIONS = 300


async def measure() -> list[Row]:
    async with stage() as target:
        first, last = await _use(target)
        times = []
        for _ in range(QUESTIONS):
            began = time.perf_counter()
            usage = await read_usage(target.ctx, "requests", "hour", first, last)
            times.append((time.perf_counter() - began) * 1000)
    return [
        Row(
            what="usage of a month by hour, in process, p99",
            script="usage.py",
            figure=statistics.quantiles(times, n=100)[98],
            unit="ms",
            most=50,
            notes=f"median {statistics.median(times):.1f} ms; {len(usage.rows)} rows",
        )
    ]


async def _use(target: Stage) -> tuple[date, date]:
    """Write what the recording script writes for an event or more in each quarter; the first and the last whole day."""
    ctx, now = target.ctx, now_ms()
    for ago in range(DAYS + 2):
        on = utc_day(now - ago * DAY_MS).isoformat()
        fields = [part for quarter in range(QUARTERS_A_DAY) for part in (quarter, 1_000_000 + quarter)]
        await ctx.db.call("HSET", keys.usage(ctx.tenant, "requests", on), *fields)
        await ctx.db.call("ZADD", keys.usage_days(ctx.tenant), now // DAY_MS - ago, f"requests:{on}")
    return utc_day(now - DAYS * DAY_MS), utc_day(now - DAY_MS)
