"""Jobs as people see them: the waiting, the dead, and the way back from death.

How jobs are run is in `veloflux/worker`; the life of a job is drawn in `veloflux/db/jobs.py`. The list of dead jobs
is kept from events, so it may lag by moments; each job's own document decides.
"""

from veloflux.jobs.retry import retry
from veloflux.jobs.store import (
    dead,
    list_as_dead,
    list_as_waiting,
    of_owner,
    remove_jobs,
    remove_other_jobs,
    stopped_owners,
    waiting,
)

__all__ = [
    "dead",
    "list_as_dead",
    "list_as_waiting",
    "of_owner",
    "remove_jobs",
    "remove_other_jobs",
    "retry",
    "stopped_owners",
    "waiting",
]
