"""Schedules: one commit moves `next_at` and enqueues the job, so any number of workers fires each time once.

The job's id comes from the schedule's name and its time. After an outage a schedule fires once, not for each time that
passed. Cron expressions follow Debian's cron at changes of the clock: a time that is skipped fires when the clock
jumps, a time that comes twice fires once (cronsim).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim

from veloflux.context import PLATFORM, Context
from veloflux.db import keys
from veloflux.errors import ChangedMeanwhile
from veloflux.kit import ids
from veloflux.transaction import Transaction
from veloflux.worker.finish import finish
from veloflux.worker.tables import Schedule


def next_time(schedule: Schedule, after: int) -> int:
    """The first time of a schedule after a time, both in epoch ms.

    >>> next_time(Schedule("0 3 * * *", "America/Sao_Paulo", "close_day"), 1431831600000)  # midnight there
    1431842400000
    """
    local = datetime.fromtimestamp(after / 1000, ZoneInfo(schedule.zone))
    return round(next(CronSim(schedule.cron, local)).astimezone(UTC).timestamp() * 1000)


async def fire_due(ctx: Context, schedules: Mapping[str, Schedule], now: int) -> None:
    """Enqueue the job of each schedule whose time has come, and set the next time of new and changed ones."""
    for name, schedule in schedules.items():
        cron = f"{schedule.cron} {schedule.zone}"
        found, found_cron = await ctx.db.call("HMGET", keys.schedule(PLATFORM, name), "next_at", "cron")
        fires = found is not None and int(found) <= now
        if fires or found_cron != cron:
            await _move(ctx, name, schedule, found, now, fires=fires)


async def _move(ctx: Context, name: str, schedule: Schedule, found: str | None, now: int, *, fires: bool) -> None:
    key = keys.schedule(PLATFORM, name)
    tx = Transaction(ctx, PLATFORM)
    tx.expect(key, "next_at", found)
    next_at = next_time(schedule, max(now, int(found or 0)) if fires else now)
    tx.put(key, {"next_at": str(next_at), "cron": f"{schedule.cron} {schedule.zone}"})
    if fires:
        tx.enqueue(schedule.job, {}, job=ids.derived("job", name, str(found)))
    try:
        await finish(ctx, tx)
    except ChangedMeanwhile:
        return  # another worker was first
