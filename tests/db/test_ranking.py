import pytest

from veloflux.db import keys, ranking
from veloflux.db.client import Db
from veloflux.errors import CursorInvalid
from veloflux.kit import page

KEY = keys.tenants()


async def walk(db: Db, limit: int) -> list[str]:
    """All members, page by page."""
    seen, cursor = list[str](), ""
    while True:
        members, following = await ranking.newest(db, KEY, cursor, limit)
        assert len(members) <= limit
        seen += members
        if following is None:
            return seen
        cursor = following


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 12, 500])
async def test_pages_are_the_whole_list_newest_first_even_where_many_are_of_one_moment(db: Db, limit: int) -> None:
    for number in range(12):
        await db.call("ZADD", KEY, 1_700_000_000_000 + number // 5, f"ten_{number:02}")
    assert await walk(db, limit) == [f"ten_{number:02}" for number in reversed(range(12))]


async def test_what_comes_and_goes_between_two_pages_moves_nothing_else(one_db: Db) -> None:
    for number in range(6):
        await one_db.call("ZADD", KEY, number, f"ten_{number}")
    first, cursor = await ranking.newest(one_db, KEY, "", 3)
    await one_db.call("ZREM", KEY, "ten_3", "ten_1")
    await one_db.call("ZADD", KEY, 9, "ten_9")
    second, last = await ranking.newest(one_db, KEY, cursor or "", 3)
    assert (first, second, last) == (["ten_5", "ten_4", "ten_3"], ["ten_2", "ten_0"], None)


@pytest.mark.parametrize("place", ["", "1", " a", "+inf a", "-1 a", "1.5 a", "9" * 17 + " a", "\u0661 a"])
async def test_a_cursor_that_no_page_gave_is_refused(one_db: Db, place: str) -> None:
    with pytest.raises(CursorInvalid):
        await ranking.newest(one_db, KEY, page.encode(place) or "x", 10)
