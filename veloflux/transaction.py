"""A commit with its trail: what use cases change documents with.

    tx = Transaction(ctx, ctx.tenant)
    tx.create(keys.api_key(ctx.tenant, key.id), key)
    tx.event(ApiKeyCreated(key=key.id))
    await tx.commit()

The first event carries every change, before and after; secrets are masked, personal fields sealed with the key of
their entity, owned ones with the key of its owner, the actor's address with the key of the actor. A transaction without
an event cannot be committed.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import msgspec

from veloflux.context import Context
from veloflux.db import commit, documents, keys
from veloflux.db.documents import Entity
from veloflux.db.jobs import Job, due_member
from veloflux.errors import ChangedMeanwhile
from veloflux.events import Event
from veloflux.kit import clock, crypto, ids

E = TypeVar("E", bound=Entity)
Result = TypeVar("Result")
TRIES = 5
MASK = "***"
SEALED = "sealed"
UNSHOWN = ("id", "version")
Values = dict[str, str]
Shown = dict[str, list[str | None]]


class Transaction(commit.Commit):
    """One owner's change of state by one actor. `id_` makes it happen once: pass it where a cause can come twice."""

    def __init__(self, ctx: Context, owner: str, id_: str | None = None) -> None:
        super().__init__(owner, id_)
        self._ctx = ctx
        self._changes: dict[str, tuple[type[Entity], Values, Values]] = {}
        self._new_keys: dict[str, bytes] = {}
        self._recorded: list[Event] = []
        self.has_due_job = False

    def create(self, key: str, entity: Entity) -> None:
        """Write a document that must not exist yet."""
        fields = documents.to_fields(entity)
        self.expect_absent(key)
        self.put(key, fields)
        self._note(entity, {}, fields)
        if "personal" in documents.trail_rules(type(entity)).values():
            self._give_data_key(entity.id)

    def change(self, key: str, old: E, new: E) -> E:
        """Write what differs, expecting that the document is still `old`; gives the new one with its version."""
        new = msgspec.structs.replace(new, version=old.version + 1)
        before, after = documents.differences(old, new)
        self.expect(key, "version", str(old.version))
        self.put(key, after)
        if gone := before.keys() - after.keys():
            self.drop(key, *gone)
        self._note(new, before, after)
        return new

    def remove(self, key: str, entity: Entity) -> None:
        """Delete a document, expecting that it is still the one that was read."""
        self.expect(key, "version", str(entity.version))
        self.delete(key)
        self._note(entity, documents.to_fields(entity), {})

    def enqueue(self, kind: str, payload: Mapping[str, str], *, run_at: int = 0, job: str | None = None) -> str:
        """Add a job of this owner, due at a time of the real clock (0: now); gives its id."""
        made = clock.now_ms()
        document = Job(
            id=job or ids.new("job"),
            owner=self.owner,
            kind=kind,
            payload=dict(payload),
            run_at=run_at or made,
            created_at=made,
        )
        self.put(keys.job(self.owner, document.id), documents.to_fields(document))
        self.rank(keys.jobs(self.owner), document.id, made)
        self.rank(keys.due(self.owner), due_member(self.owner, document.id), document.run_at)
        self.has_due_job |= document.run_at <= made
        return document.id

    def event(self, event: Event) -> None:
        """Say what happened; at least once in a transaction."""
        self._recorded.append(event)

    @property
    def leaves_trail(self) -> bool:
        """Whether it changes documents or says something; what only enqueues or marks as done needs no event."""
        return bool(self._recorded or self._changes)

    async def commit(self) -> list[str]:
        """Do it, once; gives the ids of the events. Errors as `veloflux.db.commit.run`."""
        await self.ready()
        event_ids = await commit.run(self._ctx.db, self)
        self._ctx.parts.wake(self.owner)
        return event_ids

    async def ready(self) -> tuple[list[str], list[str]]:
        """Append the events with the trail; gives the program."""
        assert self._recorded, "a change of state without an event would be missing from the trail"
        trail = await self._trail()
        changes = msgspec.json.encode(await self._sealed_changes()).decode()
        for event in self._recorded:
            data = msgspec.json.encode(event).decode()
            self.append({"name": event.name, "data": data, **trail, "changes": changes})
            changes = "{}"
        return self.program()

    async def _trail(self) -> Values:
        actor = self._ctx.actor
        trail = {"at": str(self._ctx.now()), "actor": actor.id, "request": self._ctx.request}
        if actor.addressed and (key := await self._data_key(actor.addressed)):
            trail |= {"address": crypto.seal(key, actor.address), "person": actor.addressed}
        if actor.subject and (key := await self._data_key(self.owner)):
            trail["subject"] = crypto.seal(key, actor.subject)
        if actor.impersonator:
            trail |= {"impersonator": actor.impersonator, "impersonation": actor.impersonation}
        return trail

    async def _sealed_changes(self) -> dict[str, Shown]:
        shown = {}
        for id_, (kind, before, after) in self._changes.items():
            rules = documents.trail_rules(kind)
            data_keys = {
                rule: await self._data_key(subject)
                for rule, subject in (("personal", id_), ("owned", self.owner))
                if rule in rules.values()
            }
            shown[id_] = {
                name: (
                    [before.get(name), after.get(name)]
                    if name not in rules
                    else _hidden(before.get(name), after.get(name), data_keys.get(rules[name]))
                )
                for name in before | after
                if before.get(name) != after.get(name) and name not in UNSHOWN
            }
        return shown

    def _note(self, entity: Entity, before: Values, after: Values) -> None:
        self._changes[entity.id] = (type(entity), before, after)

    def _give_data_key(self, subject: str) -> None:
        self._new_keys[subject], wrapped = self._ctx.parts.data_keys.new()
        self.set(keys.data_key(self.owner, subject), wrapped)

    async def _data_key(self, subject: str) -> bytes | None:
        return self._new_keys.get(subject) or await self._ctx.parts.data_keys.get(self.owner, subject)


async def decide(attempt: Callable[[], Awaitable[Result]]) -> Result:
    """Run what reads, decides and commits; again when somebody changed meanwhile what it read.

    :raises ChangedMeanwhile: at each of five attempts.
    """
    for _ in range(TRIES - 1):
        try:
            return await attempt()
        except ChangedMeanwhile:
            continue
    return await attempt()


def _hidden(before: str | None, after: str | None, key: bytes | None) -> list[str | None]:
    """Both values sealed, which is said, or masked where there is no key (any more)."""
    if key is None:
        return [None if value is None else MASK for value in (before, after)]
    return [*(None if value is None else crypto.seal(key, value) for value in (before, after)), SEALED]
