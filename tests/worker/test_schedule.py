import asyncio
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.worker.working import nothing_due, tables, until, working
from veloflux.context import PLATFORM, Context
from veloflux.db import keys
from veloflux.db.jobs import Job
from veloflux.kit import clock
from veloflux.transaction import Transaction
from veloflux.worker import schedule
from veloflux.worker.tables import Schedule

HOURLY = Schedule("0 * * * *", "America/Sao_Paulo", "tidy")
HOUR = clock.HOUR_MS


def at(text: str, zone: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        ("0 9 * * 1", "America/Sao_Paulo", "2026-11-21T12:00", "2026-11-23T09:00"),
        ("0 9 * * *", "America/New_York", "2026-03-07T09:00", "2026-03-08T09:00"),
        ("30 2 * * *", "America/New_York", "2026-03-07T12:00", "2026-03-08T03:00"),
        ("30 2 * * *", "Europe/Lisbon", "2026-03-28T12:00", "2026-03-29T02:30"),
        ("0 0 1 * *", "America/Sao_Paulo", "2026-12-01T00:00", "2027-01-01T00:00"),
    ],
)
def test_the_next_time_is_that_of_a_wall_clock_in_the_zone(cron: str, zone: str, after: str, expected: str) -> None:
    assert schedule.next_time(Schedule(cron, zone, "tidy"), at(after, zone)) == at(expected, zone)


def test_a_time_that_comes_twice_on_the_wall_clock_fires_once() -> None:
    row = Schedule("30 1 * * *", "America/New_York", "tidy")
    first = schedule.next_time(row, at("2026-10-31T12:00", row.zone))
    assert first == at("2026-11-01T01:30", row.zone)
    assert schedule.next_time(row, first) == at("2026-11-02T01:30", row.zone)


async def test_of_many_workers_that_see_a_time_come_one_enqueues_the_job(ctx: Context) -> None:
    await schedule.fire_due(ctx, {"tidy": HOURLY}, 10 * HOUR + 1)
    await asyncio.gather(*(schedule.fire_due(ctx, {"tidy": HOURLY}, 11 * HOUR + late) for late in range(20)))
    assert await _enqueued(ctx) == 1
    assert await _next_at(ctx) == 12 * HOUR


async def test_a_new_schedule_waits_for_its_first_time(ctx: Context) -> None:
    await schedule.fire_due(ctx, {"tidy": HOURLY}, 10 * HOUR)
    assert await _enqueued(ctx) == 0
    assert await _next_at(ctx) == 11 * HOUR


async def test_after_an_outage_a_schedule_fires_once_not_for_each_time_that_passed(ctx: Context) -> None:
    await schedule.fire_due(ctx, {"tidy": HOURLY}, 10 * HOUR)
    for minute in range(3):
        await schedule.fire_due(ctx, {"tidy": HOURLY}, 300 * HOUR + minute * clock.MINUTE_MS)
    assert await _enqueued(ctx) == 1
    assert await _next_at(ctx) == 301 * HOUR


async def test_a_schedule_whose_expression_changed_gets_its_new_time(ctx: Context) -> None:
    await schedule.fire_due(ctx, {"tidy": HOURLY}, 10 * HOUR)
    await schedule.fire_due(ctx, {"tidy": HOURLY._replace(cron="30 * * * *")}, 10 * HOUR + 1)
    assert await _next_at(ctx) == 10 * HOUR + HOUR // 2
    assert await _enqueued(ctx) == 0


async def test_workers_run_the_job_of_a_schedule_once_each_time(ctx: Context) -> None:
    ran: list[str] = []

    async def tidy(_ctx: Context, job: Job, _tx: Transaction) -> None:
        ran.append(job.id)

    await schedule.fire_due(ctx, {"tidy": HOURLY}, clock.now_ms() - HOUR)
    async with working(ctx.parts, tables(jobs={"tidy": tidy}, schedule={"tidy": HOURLY}), workers=3):
        await until(lambda: _has_run(ran))
        await until(lambda: nothing_due(ctx))
    assert len(ran) == 1


async def _has_run(ran: list[str]) -> bool:
    return bool(ran)


async def _enqueued(ctx: Context) -> int:
    return int(await ctx.db.call("ZCARD", keys.jobs(PLATFORM)))


async def _next_at(ctx: Context) -> int:
    return int(await ctx.db.call("HGET", keys.schedule(PLATFORM, "tidy"), "next_at"))
