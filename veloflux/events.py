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

    `at` is the time of the tenant's clock in epoch ms; `changes` maps `entity id` to `{field: [before, after]}`, where
    personal values are sealed with the key of `person` and secrets are masked; `address` is sealed likewise.
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
