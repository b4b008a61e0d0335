"""The list of all people, and the index by which one is found by the beginning of an e-mail address or a name.

Both follow from events, in slots of their own: a worker writes them, one at a time for each person. An entry of the
index is `text NUL person`; which entries a person has, is kept with the person, so that they can be taken back.
"""

from veloflux.context import Context
from veloflux.db import keys
from veloflux.db.client import Db
from veloflux.db.ranking import newest
from veloflux.db.scan import scan
from veloflux.errors import InputInvalid
from veloflux.events import Recorded
from veloflux.identity import store
from veloflux.identity.model import User
from veloflux.kit import page
from veloflux.kit.page import Page
from veloflux.kit.text import folded
from veloflux.transaction import Transaction

QUERY_MAX = 254


async def list_users(ctx: Context, cursor: str, limit: int) -> Page[User]:
    """All people, latest first."""
    ids, following = await newest(ctx.db, keys.users(), cursor, limit)
    found = await store.find_users(ctx.db, ids)
    return Page([found[one] for one in ids if one in found], following)


async def search_users(ctx: Context, query: str, cursor: str, limit: int) -> Page[User]:
    """Those whose e-mail address or name begins so, whatever the case and the accents; by what begins so.

    :raises InputInvalid: nothing, or too much, is searched for.
    """
    prefix = folded(query)
    if not 1 <= len(prefix) <= QUERY_MAX or "\0" in prefix:
        raise InputInvalid(f"Search for 1 to {QUERY_MAX} characters", field="q")
    limit, offset = min(max(limit, 1), page.LIMIT_MAX), page.decode_number(cursor)
    entries = await store.search(ctx.db, prefix, offset, limit + 1)
    found = await store.find_users(ctx.db, {entry.partition("\0")[2] for entry in entries[:limit]})
    shown = [found[id_] for entry in entries[:limit] if (id_ := _whose_first(entry, prefix, found))]
    return Page(shown, page.encode(str(offset + limit)) if len(entries) > limit else None)


def begins_so(user: User, query: str) -> bool:
    """Whether a search would find the person."""
    return any(entry.startswith(folded(query)) for entry in entries_of(user))


def entries_of(user: User | None) -> set[str]:
    """What the index holds of a person; nothing of one who is erased."""
    if user is None or user.status == "erased":
        return set()
    return {f"{folded(text)}\0{user.id}" for text in (user.email, user.name)}


async def index_user(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Of whatever makes a person, renames or erases one; doing it again changes nothing."""
    await project_user(ctx.db, event.owner)


async def project_user(db: Db, user: str) -> None:
    """Let the list and the index say of a person what the document says; a crash between two steps loses no entry."""
    found = await store.find_user(db, user)
    await store.write_index(db, user, found.created_at if found else 0, entries_of(found))


async def rebuild_people_index(ctx: Context) -> int:
    """Make the list and the index anew from the people's documents; gives how many there are."""
    await store.forget_index(ctx.db)
    count = 0
    async for key in scan(ctx.db, keys.EVERY_USER):
        await project_user(ctx.db, key[key.index("{") + 1 : -1])
        count += 1
    return count


def _whose_first(entry: str, prefix: str, found: dict[str, User]) -> str | None:
    """The person, unless another entry of theirs that begins so comes first, or they are another by now."""
    user = found.get(entry.partition("\0")[2])
    matching = sorted(one for one in entries_of(user) if one.startswith(prefix))
    return user.id if user and matching[:1] == [entry] else None
