"""Deleting what may be much, in steps that are each one small commit; after a crash, beginning again is going on."""

from collections.abc import Callable, Iterable, Sequence

from veloflux.db import commit
from veloflux.db.client import Db
from veloflux.db.commit import Commit

MEMBERS_A_STEP = 40
KEYS_A_STEP = 150


async def clear_index(db: Db, owner: str, index: str, keys_of: Callable[[str], Iterable[str]]) -> None:
    """Empty a sorted set of the owner, and delete the keys (at most four) of each member."""
    while members := await db.call("ZRANGE", index, 0, MEMBERS_A_STEP - 1):
        change = Commit(owner)
        for key in {key for member in members for key in keys_of(member)}:
            change.delete(key)
        change.unrank(index, *members)
        await commit.run(db, change)


async def clear_keys(db: Db, owner: str, keys: Sequence[str]) -> None:
    """Delete keys of the owner, in this order."""
    for at in range(0, len(keys), KEYS_A_STEP):
        change = Commit(owner)
        for key in keys[at : at + KEYS_A_STEP]:
            change.delete(key)
        await commit.run(db, change)
