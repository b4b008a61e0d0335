"""A month of hours: what a chart of usage asks, of a meter that was used in every quarter of an hour."""

import statistics
from datetime import date

from bench.load import ROUNDS, drive, get, middle
from bench.report import Row
from bench.rounds import drive as drive_calls
from bench.rounds import latency
from bench.stage import Stage, stage, web
from veloflux.kit.clock import DAY_MS, now_ms
from veloflux.kit.period import QUARTER_MS, utc_day
from veloflux.metering import Event, read_usage, record

DAYS, SECONDS = 31, 3
UNDER_MS = 50


async def measure() -> list[Row]:
    async with stage() as target:
        first, last = await _use(target)

        async def read() -> None:
            assert len((await read_usage(target.ctx, "requests", "hour", first, last)).rows) == DAYS * 24

        alone = await drive_calls(read, 1, SECONDS)
        path = f"/api/tenants/{target.ctx.tenant}/usage?meter=requests&window=hour&from={first}&to={last}"
        with web(target) as url:
            load = middle([drive(url, get(path, target.token), 1) for _ in range(ROUNDS)])
    return [
        Row(
            what="usage of a month by hour, in process, one at a time",
            script="usage.py",
            figure=1 / statistics.mean(alone.took),
            unit="reads/s",
            notes=f"{DAYS * 24} rows",
            alone=latency([alone]),
        ),
        Row(
            what="usage of a month by hour over HTTP, one connection",
            script="usage.py",
            figure=load.per_second,
            unit="reads/s",
            under_ms=UNDER_MS,
            failed=load.failed,
            notes=f"median {load.median_ms:.1f} ms, p99 {load.p99_ms:.1f} ms",
            alone=load.latency,
        ),
    ]


async def _use(target: Stage) -> tuple[date, date]:
    """An event in each quarter of an hour until now; the first and the last day that are asked, whole in every zone."""
    ctx, now = target.ctx, now_ms()
    quarters = range((now - (DAYS + 3) * DAY_MS) // QUARTER_MS, now // QUARTER_MS)
    events = [Event("http.request", f"past-{at}", at * QUARTER_MS, data={"bytes": at % 1000}) for at in quarters]
    assert (await record(ctx.parts, ctx.tenant, events, backfill=True)).accepted == len(events)
    return utc_day(now - (DAYS + 1) * DAY_MS), utc_day(now - 2 * DAY_MS)
