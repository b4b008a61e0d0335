"""Send a dead job back to work."""

import msgspec

from veloflux.context import Context
from veloflux.db import keys
from veloflux.db.jobs import Job, due_member
from veloflux.errors import AlreadyDone
from veloflux.events import JobRetried
from veloflux.jobs.store import find
from veloflux.kit import clock
from veloflux.transaction import Transaction


async def retry(ctx: Context, owner: str, job: str) -> Job:
    """Let a dead job run again, with all its attempts.

    :raises NotFound: no such job.
    :raises AlreadyDone: it is not dead.
    """
    found = await find(ctx, owner, job)
    if found.state != "dead":
        raise AlreadyDone(f"The job {job} is not dead: it waits to be run")
    now = clock.now_ms()
    tx = Transaction(ctx, owner)
    again = msgspec.structs.replace(found, state="waiting", attempts=0, error="", run_at=now)
    again = tx.change(keys.job(owner, job), found, again)
    tx.rank(keys.due(owner), due_member(owner, job), now)
    tx.event(JobRetried(job=job, kind=found.kind))
    await tx.commit()
    return again
