"""One job: run its function, and commit its effects in the owner's slot together with its end.

An effect outside Redis happens at least once: the function sends the job's id along, so that the other side can tell.
"""

import structlog

from veloflux.context import Context
from veloflux.db import documents, keys
from veloflux.db.due import Lease
from veloflux.db.jobs import Job, due_member
from veloflux.errors import ChangedMeanwhile, NotFound
from veloflux.events import JobDied
from veloflux.kit import clock
from veloflux.transaction import Transaction
from veloflux.worker.deliver import COLLISIONS, HANDLE_EVENT, as_job
from veloflux.worker.finish import REDIS_AWAY, LeaseLost, finish, short
from veloflux.worker.retries import delay_ms
from veloflux.worker.tables import JobFunction, Tables

ATTEMPTS = 8
log = structlog.get_logger(slice="worker")


async def run_job(ctx: Context, tables: Tables, lease: Lease, unit_ms: int) -> None:
    """Run a job that is due; after a failure it waits longer each time (`unit_ms` first), at last it is dead.

    :raises NotSent, Unknown, RedisFull: Redis is away; the job comes again, no attempt is counted.
    """
    job = documents.from_pairs(Job, await ctx.db.call("HGETALL", keys.job(lease.owner, lease.job)))
    if job is None or job.state != "waiting":
        await _forget(ctx, lease, job)
        return
    try:
        await _attempt(ctx, _function(tables, job.kind), job)
    except REDIS_AWAY:
        raise
    except LeaseLost:
        log.info("lease_lost", owner=job.owner, job=job.id)
    except Exception as error:
        await _fail(ctx, job, short(error), unit_ms)


def _function(tables: Tables, kind: str) -> JobFunction:
    return as_job(tables) if kind == HANDLE_EVENT else tables.jobs.get(kind) or _unknown_kind


async def _unknown_kind(_ctx: Context, job: Job, _tx: Transaction) -> None:
    raise NotFound(f"This version of VeloFlux knows no job of the kind {job.kind}")


async def _attempt(ctx: Context, function: JobFunction, job: Job) -> None:
    for collisions in range(COLLISIONS):
        tx = Transaction(ctx, job.owner)
        tx.expect(keys.job(job.owner, job.id), "version", str(job.version))
        await function(ctx, job, tx)
        tx.delete(keys.job(job.owner, job.id))
        tx.unrank(keys.jobs(job.owner), job.id)
        tx.unrank(keys.due(job.owner), due_member(job.owner, job.id))
        try:
            await finish(ctx, tx)
            return
        except ChangedMeanwhile as error:
            if error.extra["key"] == keys.job(job.owner, job.id):
                raise LeaseLost from None
            if collisions == COLLISIONS - 1:
                raise


async def _fail(ctx: Context, job: Job, error: str, unit_ms: int) -> None:
    attempts = job.attempts + 1
    about = {"owner": job.owner, "job": job.id, "kind": job.kind, "attempts": attempts, "error": error}
    tx = Transaction(ctx, job.owner)
    key, member = keys.job(job.owner, job.id), due_member(job.owner, job.id)
    tx.expect(key, "version", str(job.version))
    counted = {"version": str(job.version + 1), "attempts": str(attempts), "error": error}
    if attempts >= ATTEMPTS:
        log.error("job_died", **about)
        tx.put(key, counted | {"state": "dead"})
        tx.unrank(keys.due(job.owner), member)
        tx.event(JobDied(job=job.id, kind=job.kind, attempts=attempts))
    else:
        log.warning("job_failed", **about)
        run_at = clock.now_ms() + delay_ms(attempts, unit_ms)
        tx.put(key, counted | {"run_at": str(run_at)})
        tx.rank(keys.due(job.owner), member, run_at)
    try:
        await finish(ctx, tx)
    except ChangedMeanwhile:
        log.info("lease_lost", owner=job.owner, job=job.id)


async def _forget(ctx: Context, lease: Lease, job: Job | None) -> None:
    """Take out of the due set what is not to be run, unless it changes at this moment."""
    tx = Transaction(ctx, lease.owner)
    key = keys.job(lease.owner, lease.job)
    if job:
        tx.expect(key, "version", str(job.version))
    else:
        tx.expect_absent(key)
    tx.unrank(keys.due(lease.owner), lease.member)
    await finish(ctx, tx)
