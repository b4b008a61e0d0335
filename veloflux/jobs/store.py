"""Reads jobs and keeps the list of the dead; what runs and ends jobs is the worker."""

import asyncio

import msgspec

from veloflux.context import Context
from veloflux.db import commit, documents, due, keys
from veloflux.db.clearing import MEMBERS_A_STEP, clear_index
from veloflux.db.commit import Commit
from veloflux.db.jobs import Job, due_member
from veloflux.errors import NotFound
from veloflux.events import JobDied, JobRetried, Recorded
from veloflux.kit import page
from veloflux.kit.page import Page
from veloflux.transaction import Transaction

WAITING_A_SLOT = 1_000


async def find(ctx: Context, owner: str, job: str) -> Job:
    """:raises NotFound: this owner has no such job; a job that was done is deleted."""
    found = documents.from_pairs(Job, await ctx.db.call("HGETALL", keys.job(owner, job)))
    if found is None:
        raise NotFound(f"{owner} has no job {job}; a job that was done is deleted")
    return found


async def dead(ctx: Context, cursor: str = "", limit: int = page.LIMIT) -> Page[Job]:
    """Dead jobs of all owners, the latest first."""
    skip = page.decode_number(cursor)
    members = await ctx.db.call("ZRANGE", keys.jobs_dead(), skip, skip + limit - 1, "REV")
    jobs = [job for job in await _read(ctx, members) if job.state == "dead"]
    return Page(jobs, page.encode(str(skip + limit)) if len(members) == limit else None)


async def waiting(ctx: Context) -> list[Job]:
    """Jobs of all owners that wait, the next one first. It walks all due sets: for a person's look now and then."""
    members = await asyncio.gather(
        *(
            ctx.db.call("ZRANGE", keys.due(member.partition("/")[0]), 0, WAITING_A_SLOT - 1)
            for member, _ in await due.first_members(ctx.db)
        )
    )
    jobs = await _read(ctx, [member for found in members for member in found if "/" in member])
    return sorted((job for job in jobs if job.state == "waiting"), key=lambda job: job.run_at)


async def of_owner(ctx: Context, owner: str, cursor: str = "", limit: int = page.LIMIT) -> Page[Job]:
    """One owner's jobs, waiting and dead, the latest first."""
    skip = page.decode_number(cursor)
    ids = await ctx.db.call("ZRANGE", keys.jobs(owner), skip, skip + limit - 1, "REV")
    jobs = await _read(ctx, [due_member(owner, job) for job in ids])
    return Page(jobs, page.encode(str(skip + limit)) if len(ids) == limit else None)


async def stopped_owners(ctx: Context) -> list[str]:
    """Owners whose events wait for an ordered handler that fails: an alarm."""
    owners = await ctx.db.call("ZRANGE", keys.owners_stopped(), 0, -1)
    marks = await asyncio.gather(*(ctx.db.call("HGET", keys.outbox(owner), "stopped") for owner in owners))
    return [owner for owner, mark in zip(owners, marks, strict=True) if mark]


async def list_as_dead(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Handler of `job.died`."""
    died = msgspec.convert(event.data, JobDied)
    await ctx.db.call("ZADD", keys.jobs_dead(), event.at, due_member(event.owner, died.job))


async def list_as_waiting(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Handler of `job.retried`."""
    retried = msgspec.convert(event.data, JobRetried)
    await ctx.db.call("ZREM", keys.jobs_dead(), due_member(event.owner, retried.job))


async def remove_jobs(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Handler of `tenant.deleted`: its jobs, waiting and dead. The due set loses them when they come up there."""
    owner = event.owner
    if ids := await ctx.db.call("ZRANGE", keys.jobs(owner), 0, -1):
        await ctx.db.call("ZREM", keys.jobs_dead(), *(due_member(owner, job) for job in ids))
    await clear_index(ctx.db, owner, keys.jobs(owner), lambda job: (keys.job(owner, job),))


async def remove_other_jobs(ctx: Context, job: Job) -> None:
    """All jobs of its owner but this one, waiting and dead; again is as once."""
    others = [one for one in await ctx.db.call("ZRANGE", keys.jobs(job.owner), 0, -1) if one != job.id]
    for at in range(0, len(others), MEMBERS_A_STEP):
        some = others[at : at + MEMBERS_A_STEP]
        members = [due_member(job.owner, one) for one in some]
        await ctx.db.call("ZREM", keys.jobs_dead(), *members)
        change = Commit(job.owner)
        for one in some:
            change.delete(keys.job(job.owner, one))
        change.unrank(keys.jobs(job.owner), *some)
        change.unrank(keys.due(job.owner), *members)
        await commit.run(ctx.db, change)


async def _read(ctx: Context, members: list[str]) -> list[Job]:
    """The jobs that still exist among members of a due set."""
    owned = [member.split("/") for member in members]
    rows = await asyncio.gather(*(ctx.db.call("HGETALL", keys.job(owner, job)) for owner, job in owned))
    return [job for row in rows if (job := documents.from_pairs(Job, row))]
