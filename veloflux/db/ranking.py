"""Pages of a sorted set: lists of documents by the time they were made, newest first; what ends, soonest first."""

from veloflux.db.client import Db
from veloflux.errors import CursorInvalid
from veloflux.kit import page


async def newest(db: Db, key: str, cursor: str, limit: int) -> tuple[list[str], str | None]:
    """At most `limit` members by falling score, and the cursor of the next page (None: this is the last one).

    A member that is added or removed meanwhile moves no other one to a page where it was already.

    :raises CursorInvalid: the cursor is not one of ours.
    """
    limit = min(max(limit, 1), page.LIMIT_MAX)
    score, last = _place(cursor) if cursor else ("+inf", "")
    ties = await db.call("ZCOUNT", key, score, score) if cursor else 0
    rows = await db.call("ZRANGE", key, score, "-inf", "BYSCORE", "REV", "LIMIT", 0, ties + limit + 1, "WITHSCORES")
    pairs = zip(rows[::2], rows[1::2], strict=True)
    found = [(member, at) for member, at in pairs if at != score or member < last]
    shown = found[:limit]
    following = page.encode(f"{shown[-1][1]} {shown[-1][0]}") if len(found) > limit else None
    return [member for member, _ in shown], following


async def soonest(db: Db, key: str, since: int, count: int) -> list[tuple[str, int]]:
    """Members with their scores, by rising score: all with the score `since`, and then `count` with a higher one, as
    far as there are."""
    ties = await db.call("ZCOUNT", key, since, since)
    rows = await db.call("ZRANGE", key, since, "+inf", "BYSCORE", "LIMIT", 0, ties + count, "WITHSCORES")
    return [(member, int(score)) for member, score in zip(rows[::2], rows[1::2], strict=True)]


def _place(cursor: str) -> tuple[str, str]:
    score, _, member = page.decode(cursor).partition(" ")
    if not (score.isascii() and score.isdigit() and member) or len(score) > 16:
        raise CursorInvalid("This cursor is not one that an earlier page gave")
    return score, member
