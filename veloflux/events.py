"""Every event: its name and its payload. What a commit says here is the audit trail and the outbox in one.

Payloads hold ids, never personal data: names, addresses and e-mails stay in the entities.
"""

from typing import ClassVar

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A subclass's `name` is `<noun>.<what happened>`."""

    name: ClassVar[str]


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it stands in its owner's stream.

    `at` is the time of the tenant's clock in epoch ms; `changes` maps `entity id` to `{field: [before, after]}`;
    secrets are masked, and a third element, `"sealed"`, says that both are sealed with the data key of the entity.
    `address` is sealed with the data key of `person`.
    """

    id: str
    owner: str
    name: str
    at: int
    actor: str
    request: str
    data: dict[str, object]
    changes: dict[str, dict[str, list[str | None]]]
    address: str = ""
    person: str = ""


# Jobs


class JobDied(Event, frozen=True, kw_only=True):
    """A job failed for the last time."""

    name = "job.died"
    job: str
    kind: str
    attempts: int


class JobRetried(Event, frozen=True, kw_only=True):
    """Someone sent a dead job back to work."""

    name = "job.retried"
    job: str
    kind: str
