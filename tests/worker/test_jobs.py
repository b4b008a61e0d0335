import asyncio

import msgspec
import pytest

from tests.worker.working import ALICE, BOB, FAST, Rang, nothing_due, tables, until, working
from tests.worker.working import ring as working_ring
from veloflux import jobs
from veloflux.context import Context
from veloflux.db import commit, documents, keys
from veloflux.db.jobs import Job
from veloflux.errors import AlreadyDone, NotFound
from veloflux.events import Recorded
from veloflux.kit import clock
from veloflux.transaction import Transaction
from veloflux.worker import run_job

UNHURRIED = msgspec.structs.replace(FAST, retry_ms=50)


class Ran:
    """A job that counts its runs in the owner's slot, after it failed so many times."""

    def __init__(self, fails: int = 0) -> None:
        self.fails = fails
        self.attempts: list[int] = []

    async def __call__(self, _ctx: Context, job: Job, tx: Transaction) -> None:
        self.attempts.append(job.attempts)
        tx.add(keys.limits(job.owner), job.payload["field"], 1)
        if len(self.attempts) <= self.fails:
            raise ConnectionError("the other side is away")


async def enqueue(ctx: Context, owner: str = ALICE, *, delay_ms: int = 0, job: str | None = None) -> str:
    tx = Transaction(ctx, owner)
    made = tx.enqueue("ring", {"field": "runs"}, run_at=clock.now_ms() + delay_ms, job=job)
    tx.event(Rang(number=1))
    await tx.commit()
    return made


async def runs(ctx: Context, owner: str = ALICE) -> int:
    return int(await ctx.db.call("HGET", keys.limits(owner), "runs") or 0)


async def read(ctx: Context, owner: str, job: str) -> Job | None:
    return documents.from_pairs(Job, await ctx.db.call("HGETALL", keys.job(owner, job)))


async def test_each_of_many_jobs_takes_effect_once_and_is_gone(ctx: Context) -> None:
    async with working(ctx.parts, tables(jobs={"ring": Ran()}), workers=3):
        await asyncio.gather(*(enqueue(ctx, owner) for owner in (ALICE, BOB) for _ in range(40)))
        await until(lambda: nothing_due(ctx))
    assert [await runs(ctx, owner) for owner in (ALICE, BOB)] == [40, 40]
    assert await ctx.db.call("EXISTS", keys.jobs(ALICE)) == 0


async def test_a_worker_works_on_as_much_at_once_as_it_may(ctx: Context) -> None:
    at_once: list[int] = [0]

    async def ring(_ctx: Context, _job: Job, _tx: Transaction) -> None:
        at_once.append(at_once[-1] + 1)
        await asyncio.sleep(0.01)
        at_once.append(at_once[-1] - 1)

    await asyncio.gather(*(enqueue(ctx, owner) for owner in (ALICE, BOB, "ten_car0l", "ten_dave") for _ in range(15)))
    few = msgspec.structs.replace(ctx.parts.settings, worker_concurrency=3)
    async with working(msgspec.structs.replace(ctx.parts, settings=few), tables(jobs={"ring": ring})):
        await until(lambda: nothing_due(ctx))
    assert len(at_once) == 1 + 2 * 60
    assert max(at_once) == 3


async def test_what_is_due_now_does_not_wait_for_the_poll(ctx: Context) -> None:
    """A job of a handler, more than there are hands, and what another worker shares."""
    few = msgspec.structs.replace(ctx.parts.settings, worker_concurrency=1)
    ran: list[str] = []

    async def ring(_ctx: Context, job: Job, _tx: Transaction) -> None:
        ran.append(job.owner)

    async def enqueue_more(_ctx: Context, event: Recorded, tx: Transaction) -> None:
        if event.owner == ALICE:
            for _ in range(4):
                tx.enqueue("ring", {})

    rows = tables({"bell.rang": [enqueue_more]}, {"ring": ring})
    parts = msgspec.structs.replace(ctx.parts, settings=few)
    async with working(parts, rows, pace=msgspec.structs.replace(FAST, poll_ms=60_000)):
        await until(lambda: listened_to(ctx))
        await working_ring(ctx, ALICE, 1)
        await until(lambda: has(ran, 4))
        job = Transaction(ctx, BOB)
        job.enqueue("ring", {})
        await commit.run(ctx.db, job)
        await ctx.db.publish(keys.WAKE_CHANNEL, f"wrk_an0ther:{BOB}")
        await until(lambda: has(ran, 5))
    assert ran == [ALICE] * 4 + [BOB]


async def listened_to(ctx: Context) -> bool:
    answers = await ctx.db.every_master("PUBSUB", "NUMSUB", keys.WAKE_CHANNEL)
    return any(count for _, count in answers)


async def has(ran: list[str], count: int) -> bool:
    return len(ran) == count


async def test_a_delayed_job_runs_when_its_time_has_come_and_not_before(ctx: Context) -> None:
    started: list[int] = []

    async def ring(_ctx: Context, job: Job, _tx: Transaction) -> None:
        started.append(clock.now_ms() - job.run_at)

    await enqueue(ctx, delay_ms=400)
    async with working(ctx.parts, tables(jobs={"ring": ring})):
        assert [job.kind for job in await jobs.waiting(ctx)] == ["ring"]
        await until(lambda: nothing_due(ctx))
    assert len(started) == 1
    assert started[0] >= 0


async def test_a_job_that_fails_comes_again_later_without_the_effects_of_the_failed_attempts(ctx: Context) -> None:
    ring = Ran(fails=3)
    await enqueue(ctx)
    async with working(ctx.parts, tables(jobs={"ring": ring})):
        await until(lambda: nothing_due(ctx))
    assert ring.attempts == [0, 1, 2, 3]
    assert await runs(ctx) == 1


async def test_after_a_failure_the_job_says_why_and_when_it_comes_again(ctx: Context) -> None:
    job = await enqueue(ctx)
    before = clock.now_ms()
    async with working(
        ctx.parts, tables(jobs={"ring": Ran(fails=1)}), pace=msgspec.structs.replace(FAST, retry_ms=9_000)
    ):
        await until(lambda: ctx.db.call("HGET", keys.job(ALICE, job), "error"))
    failed = await read(ctx, ALICE, job)
    assert failed
    assert (failed.state, failed.attempts, failed.error) == ("waiting", 1, "ConnectionError: the other side is away")
    assert failed.run_at >= before + 7_200
    assert int(await ctx.db.call("ZSCORE", keys.due(ALICE), f"{ALICE}/{job}")) == failed.run_at


async def test_a_job_that_fails_for_the_last_time_is_dead_listed_and_in_the_trail(ctx: Context) -> None:
    ring = Ran(fails=run_job.ATTEMPTS)
    job = await enqueue(ctx)
    async with working(ctx.parts, _with_lists(ring)):
        await until(lambda: nothing_due(ctx))
        await until(lambda: ctx.db.call("ZCARD", keys.jobs_dead()))
    [dead] = (await jobs.dead(ctx)).items
    assert (dead.id, dead.state, dead.attempts, dead.owner) == (job, "dead", run_job.ATTEMPTS, ALICE)
    assert await runs(ctx) == 0
    assert await _said(ctx, ALICE) == ["bell.rang", "job.died"]


async def test_a_dead_job_that_is_retried_runs_again_with_all_its_attempts(ctx: Context) -> None:
    ring = Ran(fails=run_job.ATTEMPTS + 2)
    job = await enqueue(ctx)
    async with working(ctx.parts, _with_lists(ring)):
        await until(lambda: ctx.db.call("ZCARD", keys.jobs_dead()))
        await jobs.retry(ctx, ALICE, job)
        await until(lambda: nothing_due(ctx))
    assert ring.attempts[run_job.ATTEMPTS :] == [0, 1, 2]
    assert await runs(ctx) == 1
    assert (await jobs.dead(ctx)).items == []
    assert await _said(ctx, ALICE) == ["bell.rang", "job.died", "job.retried"]


async def test_only_a_dead_job_can_be_retried(ctx: Context) -> None:
    job = await enqueue(ctx, delay_ms=60_000)
    with pytest.raises(AlreadyDone):
        await jobs.retry(ctx, ALICE, job)
    with pytest.raises(NotFound):
        await jobs.retry(ctx, BOB, job)


async def test_a_job_of_an_unknown_kind_fails_instead_of_vanishing(ctx: Context) -> None:
    job = await enqueue(ctx)
    async with working(ctx.parts, tables(), pace=UNHURRIED):
        await until(lambda: ctx.db.call("HGET", keys.job(ALICE, job), "error"))
    assert "no job of the kind ring" in (await ctx.db.call("HGET", keys.job(ALICE, job), "error"))


async def test_what_stands_in_the_due_set_without_a_job_is_forgotten(ctx: Context) -> None:
    await ctx.db.call("ZADD", keys.due(ALICE), 1, f"{ALICE}/job_gone")
    async with working(ctx.parts, tables()):
        await until(lambda: nothing_due(ctx))


async def test_a_job_whose_lease_was_lost_takes_effect_once(ctx: Context) -> None:
    entered, released = asyncio.Event(), asyncio.Event()

    async def slow(_ctx: Context, job: Job, tx: Transaction) -> None:
        tx.add(keys.limits(job.owner), "runs", 1)
        if not entered.is_set():
            entered.set()
            await released.wait()

    rows = tables(jobs={"ring": slow})
    async with working(ctx.parts, rows, pace=msgspec.structs.replace(FAST, lease_ms=60_000)):
        job = await enqueue(ctx)
        await entered.wait()
        async with working(ctx.parts, rows):
            await ctx.db.call("ZADD", keys.due(ALICE), 0, f"{ALICE}/{job}")
            await until(lambda: nothing_due(ctx))
            released.set()
    assert await runs(ctx) == 1


async def test_dead_and_owned_jobs_come_in_pages_the_latest_first(ctx: Context) -> None:
    made = [await enqueue(ctx, delay_ms=60_000, job=f"job_{number}") for number in range(5)]
    first = await jobs.of_owner(ctx, ALICE, limit=3)
    rest = await jobs.of_owner(ctx, ALICE, first.next or "", limit=3)
    assert {job.id for job in first.items} | {job.id for job in rest.items} == set(made)
    assert (len(first.items), len(rest.items), rest.next) == (3, 2, None)


def _with_lists(ring: Ran):  # type: ignore[no-untyped-def]
    return tables(
        {"job.died": [jobs.list_as_dead], "job.retried": [jobs.list_as_waiting]},
        {"ring": ring},
    )


async def _said(ctx: Context, owner: str) -> list[str]:
    rows = await ctx.db.call("XRANGE", keys.events(owner), "-", "+")
    return [dict(zip(pairs[::2], pairs[1::2], strict=True))["name"] for _, pairs in rows]
