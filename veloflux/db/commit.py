"""The one write path: preconditions, documents, indexes and events of one owner, in one atomic step.

Build a `Commit`, then `run` it. Nothing is written unless every expectation holds and every write can succeed; running
it again with the same id gives the first result. The rules are in `lua/db/commit-3+.lua`.
"""

from collections.abc import Mapping

from veloflux.db import keys, scripts
from veloflux.db.client import Db
from veloflux.errors import ChangedMeanwhile, CommitRefused, CounterOutOfRange
from veloflux.kit import clock, ids

COMMIT = scripts.load("db", "commit")
MAX_CHARACTERS = 262_144
EFFECT_MS = 30 * clock.DAY_MS


class Commit:
    """A change of one owner's state. Every key must be the owner's: on a cluster, of its slot."""

    def __init__(self, owner: str, id_: str | None = None) -> None:
        self.owner = owner
        self.id = id_ or ids.new("cmt")
        self._keys = [keys.events(owner), keys.done(owner, self.id), keys.due(owner)]
        self._index = {key: at for at, key in enumerate(self._keys, 1)}
        self._expect: list[str] = []
        self._add: list[str] = []
        self._write: list[str] = []
        self._events: list[str] = []
        self._writes = 0
        self._once: set[str] = set()

    def expect(self, key: str, field: str, value: str | None) -> None:
        """Refuse unless the hash field has this value; None: unless it is absent."""
        self._expect += (self._at(key), field, "" if value is None else f"={value}")

    def expect_absent(self, key: str) -> None:
        """Refuse if the key exists."""
        self._expect += (self._at(key), "", "")

    def expect_rank(self, key: str, member: str, score: int) -> None:
        """Refuse unless the member of a sorted set has this score."""
        self._expect += (self._at(key), member, f"@{score}")

    def once(self, *cause: str) -> None:
        """Take effect once for a cause, however often it comes within 30 days; after that `run` gives no ids.

        For the effect of another owner's event: `commit.once(event.owner, event.id, "what is done")`.
        """
        key = keys.effect(self.owner, ids.derived("eff", *cause))
        self._once.add(key)
        self._expect[:0] = (self._at(key), "", "")  # first: what else is expected may have changed by the effect
        self.set(key, "1", EFFECT_MS)

    def put(self, key: str, fields: Mapping[str, str]) -> None:
        """Set fields of a hash."""
        self._do("HSET", key, *_flat(fields))

    def drop(self, key: str, *fields: str) -> None:
        """Delete fields of a hash."""
        self._do("HDEL", key, *fields)

    def add(self, key: str, field: str, amount: int) -> None:
        """Add to a counter in a hash, before anything else is written; at most 18 digits."""
        self._add += ("HINCRBY", self._at(key), "2", field, str(amount))
        self._writes += 1

    def set(self, key: str, value: str, life_ms: int | None = None) -> None:
        """Set a string, for ever or for so many milliseconds."""
        self._do("SET", key, value, *(("PX", str(life_ms)) if life_ms else ()))

    def delete(self, key: str) -> None:
        self._do("DEL", key)

    def expire(self, key: str, life_ms: int) -> None:
        """Let a key live so many milliseconds from now."""
        self._do("PEXPIRE", key, str(life_ms))

    def rank(self, key: str, member: str, score: int) -> None:
        """Put a member into a sorted set, or move it."""
        self._do("ZADD", key, str(score), member)

    def unrank(self, key: str, *members: str) -> None:
        self._do("ZREM", key, *members)

    def append(self, fields: Mapping[str, str]) -> None:
        """Append an event to the owner's stream."""
        self._events += (str(2 * len(fields)), *_flat(fields))

    def had_effect(self, key: str) -> bool:
        """Whether a key that is not absent tells that the cause has taken effect before."""
        return key in self._once

    @property
    def writes(self) -> bool:
        return bool(self._writes or self._events)

    def program(self) -> tuple[list[str], list[str]]:
        """KEYS and ARGV of the script."""
        words = [self.owner, str(len(self._expect) // 3), str(self._writes)]
        return self._keys, words + self._expect + self._add + self._write + self._events

    def key(self, index: int) -> str:
        """The key with an index that the script answered."""
        return self._keys[index - 1]

    def expectation(self, index: int) -> tuple[str, str]:
        """Key and field of an expectation, by the index that the script answered."""
        at, field = self._expect[3 * index - 3 : 3 * index - 1]
        return self.key(int(at)), field

    def _do(self, command: str, key: str, *args: str) -> None:
        self._write += (command, self._at(key), str(len(args)), *args)
        self._writes += 1

    def _at(self, key: str) -> str:
        at = self._index.get(key)
        if at is None:
            self._keys.append(key)
            at = self._index[key] = len(self._keys)
        return str(at)


async def run(db: Db, commit: Commit) -> list[str]:
    """Commit, once, however often the answer is lost; gives the ids of its events.

    :raises ChangedMeanwhile: an expectation does not hold; `extra` has key, field and actual value.
    :raises CounterOutOfRange: a counter would pass 18 digits.
    :raises CommitRefused: the program is wrong, or a key holds another type than the registry says.
    :raises NotSent, Unknown, RedisFull: see veloflux.errors.
    """
    names, words = commit.program()
    if sum(map(len, words)) > MAX_CHARACTERS:
        raise CommitRefused(f"A change of {commit.owner} is longer than {MAX_CHARACTERS} characters")
    code, *rest = await db.repeat(COMMIT, names, words)
    match code:
        case "OK" | "REPLAY":
            return str(rest[0]).split()
        case "EXPECTED":
            error = _unexpected(commit, *rest)
            if commit.had_effect(error.extra["key"]):
                return []
            raise error
        case "RANGE":
            raise CounterOutOfRange(f"The counter {rest[1]} would pass 18 digits", field=rest[1])
        case _:
            raise CommitRefused(f"A change of {commit.owner} was refused: {code} {rest}")


def _unexpected(commit: Commit, index: int, actual: str | None) -> ChangedMeanwhile:
    key, field = commit.expectation(index)
    return ChangedMeanwhile(
        "This was changed by someone else meanwhile; load it again and repeat",
        key=key,
        field=field,
        actual=actual,
    )


def _flat(fields: Mapping[str, str]) -> list[str]:
    return [part for pair in fields.items() for part in pair]
