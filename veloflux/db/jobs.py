"""Work for later: a job is a document of its owner, due at a time; `worker.JOBS` names the function for each kind.

waiting ──run──> done (deleted)
   ^  └──failed──> waiting again, later (5 s, 20 s, 80 s, ... with jitter)
   └──retried── dead <──failed for the last time──┘
"""

from typing import Literal

import msgspec

from veloflux.db.documents import Entity, Secret

State = Literal["waiting", "dead"]


class Job(Entity, frozen=True, kw_only=True):
    """`payload` holds ids, never personal data or secrets. Times in epoch ms."""

    owner: str
    kind: str
    payload: dict[str, str] = msgspec.field(default_factory=dict)
    state: State = "waiting"
    attempts: int = 0
    run_at: int
    created_at: int
    error: Secret = ""


def due_member(owner: str, job: str) -> str:
    """How a job stands in the due set, beside owners, which stand there by their id alone."""
    return f"{owner}/{job}"
