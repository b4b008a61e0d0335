import asyncio
import signal
import sys

import msgspec

from tests.worker.working import ALICE, FAST, WITHIN_S, note, noted, nothing_due, ring, tables, until, working
from veloflux import worker
from veloflux.context import Context, Parts
from veloflux.db import due, keys, workers
from veloflux.events import Recorded
from veloflux.settings import environment
from veloflux.transaction import Transaction
from veloflux.worker import Worker


async def test_a_stopped_worker_finishes_what_is_under_way_and_leaves_the_rest_to_others(ctx: Context) -> None:
    entered, released = asyncio.Event(), asyncio.Event()

    async def slow(ctx: Context, event: Recorded, tx: Transaction) -> None:
        entered.set()
        await released.wait()
        await note(ctx, event, tx)

    stop = asyncio.Event()
    running = asyncio.create_task(Worker(ctx.parts, tables({"bell.rang": [slow]}), FAST).run(stop))
    await ring(ctx, ALICE, 1, 2)
    await entered.wait()
    stop.set()
    await asyncio.sleep(0)
    released.set()
    await running
    assert await noted(ctx, ALICE) == [1]
    assert [lease.member for lease in (await due.claim(ctx.db, ALICE, 1_000, 10)).leases] == [ALICE]


async def test_what_does_not_finish_in_time_is_given_back_at_once_and_undone(ctx: Context) -> None:
    entered = asyncio.Event()

    async def stuck(ctx: Context, event: Recorded, tx: Transaction) -> None:
        await note(ctx, event, tx)
        entered.set()
        await asyncio.Event().wait()

    impatient = msgspec.structs.replace(FAST, stop_s=0.05, lease_ms=60_000)
    async with working(ctx.parts, tables({"bell.rang": [stuck]}), pace=impatient):
        await ring(ctx, ALICE, 1)
        await entered.wait()
    assert await noted(ctx, ALICE) == []
    async with working(ctx.parts, tables({"bell.rang": [note]})):
        await until(lambda: nothing_due(ctx))
    assert await noted(ctx, ALICE) == [1]


async def test_a_lease_is_extended_as_long_as_its_work_lasts(ctx: Context) -> None:
    entered, released = asyncio.Event(), asyncio.Event()

    async def slow(_ctx: Context, _event: Recorded, _tx: Transaction) -> None:
        entered.set()
        await released.wait()

    async with working(ctx.parts, tables({"bell.rang": [slow]}), pace=msgspec.structs.replace(FAST, lease_ms=900)):
        await ring(ctx, ALICE, 1)
        await entered.wait()
        ends = [await _end(ctx)]
        while len(ends) < 4:
            if (end := await _end(ctx)) != ends[-1]:
                ends.append(end)
            assert not (await due.claim(ctx.db, ALICE, 1_000, 10)).leases
        released.set()
    assert ends == sorted(ends)


async def test_a_worker_is_seen_while_it_works_and_gone_after_it(ctx: Context) -> None:
    assert await workers.last_seen(ctx.db) is None
    async with working(ctx.parts, tables()):
        await until(lambda: workers.last_seen(ctx.db))
        await until(lambda: ctx.db.call("EXISTS", keys.poll_lease()))
    assert await workers.last_seen(ctx.db) is None
    assert await ctx.db.call("EXISTS", keys.poll_lease()) == 0


async def test_one_of_many_workers_polls(ctx: Context) -> None:
    async with working(ctx.parts, tables(), workers=3):
        await until(lambda: ctx.db.call("EXISTS", keys.poll_lease()))
        holder = await ctx.db.call("GET", keys.poll_lease())
        assert not await due.hold(ctx.db, keys.poll_lease(), "wrk_0ther", 1_000)
        assert await ctx.db.call("GET", keys.poll_lease()) == holder


async def test_the_command_works_until_sigterm_and_ends_with_0(one_parts: Parts) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from veloflux import settings, worker; worker.main(settings.load())",
        env=environment(msgspec.structs.replace(one_parts.settings, redis_unsafe=True)),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        await until(lambda: workers.last_seen(one_parts.db))
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), WITHIN_S) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert await workers.last_seen(one_parts.db) is None


def test_every_schedule_names_a_job_that_exists() -> None:
    assert {row.job for row in worker.SCHEDULE.values()} <= worker.JOBS.keys()


async def _end(ctx: Context) -> int:
    return int(await ctx.db.call("ZSCORE", keys.due(ALICE), ALICE))
