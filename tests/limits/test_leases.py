"""Living reservations: what is held, by which id, until when; settled by hand."""

import msgspec
import pytest

from tests.customers import customer, put_policy, quota
from tests.limits.test_reserve import left, let_leases_end, of
from veloflux.context import Context
from veloflux.errors import Conflict, CursorInvalid, MeterUnknown, NotFound, Unavailable
from veloflux.kit import page
from veloflux.limits import Question, Reservation, commit, release, reserve
from veloflux.limits.leases import Held, commit_by_hand, list_reservations, release_by_hand


async def held(ctx: Context, meter: str = "requests", cost: int = 1, lease_s: int = 60) -> Reservation:
    return await reserve(ctx.parts, ctx.tenant, Question(meter=meter, cost=cost), lease_s)


async def listed(ctx: Context, meter: str = "", limit: int = 50) -> list[str]:
    """The ids of all pages."""
    found, cursor = [], ""
    while True:
        one = await list_reservations(ctx, meter, cursor, limit)
        assert len(one.items) <= limit
        found += [row.id for row in one.items]
        if one.next is None:
            return found
        cursor = one.next


async def limited(ctx: Context, name: str = "Acme") -> Context:
    acme = await customer(ctx, name)
    await put_policy(acme, rates=(), quotas=(quota(100), quota(1_000, "bytes")))
    return acme


async def test_what_is_held_is_listed_by_its_end_and_of_one_meter_alone(ctx: Context) -> None:
    acme, globex = await limited(ctx), await limited(ctx, "Globex")
    assert await list_reservations(acme) == page.Page([])
    long, short = await held(acme, cost=4, lease_s=600), await held(acme, "bytes", cost=9)
    await held(globex)
    found = await list_reservations(acme)
    assert found.items == [
        Held(id=short.id, meter="bytes", unit="byte", cost=9, until=short.until),
        Held(id=long.id, meter="requests", unit="count", cost=4, until=long.until),
    ]
    assert await listed(acme, "bytes") == [short.id]
    with pytest.raises(MeterUnknown):
        await list_reservations(acme, "nothing")


async def test_what_is_settled_or_over_is_not_listed(ctx: Context) -> None:
    acme = await limited(ctx)
    lost = await held(acme)
    await let_leases_end(acme)
    committed, released, living = [await held(acme) for _ in range(3)]
    assert set(await listed(acme)) == {committed.id, released.id, living.id}
    await commit(acme.parts, acme.tenant, committed.id, 1)
    await release(acme.parts, acme.tenant, released.id)
    assert await listed(acme) == [living.id]
    assert lost.id not in await listed(acme, limit=1)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
async def test_pages_have_each_once_though_many_end_at_once(one_ctx: Context, limit: int) -> None:
    acme = await limited(one_ctx)
    made = [await held(acme, meter, lease_s=60 + at // 3) for at in range(7) for meter in ("requests", "bytes")]
    for meter in ("requests", "bytes"):
        name = f"vf:tenant:{{{acme.tenant}}}:leases:{meter}"
        for member in await one_ctx.db.call("ZRANGE", name, 0, 4):
            await one_ctx.db.call("ZADD", name, made[0].until, member)
    found = await listed(acme, limit=limit)
    assert len(found) == len(made)
    assert set(found) == {one.id for one in made}
    assert await listed(acme, "bytes", limit) == [id_ for id_ in found if id_.endswith(".bytes")]


async def test_a_page_begun_before_leases_ended_goes_on_with_what_lives(one_ctx: Context) -> None:
    acme = await limited(one_ctx)
    for _ in range(3):
        await held(acme)
    first = await list_reservations(acme, limit=1)
    await let_leases_end(acme)
    later = await held(acme, lease_s=900)
    assert first.next
    assert [one.id for one in (await list_reservations(acme, cursor=first.next, limit=1)).items] == [later.id]


@pytest.mark.parametrize("place", ["", "x", "1 rsv_0", "9" * 16, "1-0"])
async def test_a_cursor_that_no_page_gave_is_refused(one_ctx: Context, place: str) -> None:
    acme = await limited(one_ctx)
    with pytest.raises(CursorInvalid):
        await list_reservations(acme, cursor=page.encode(place) or "$")


async def test_by_hand_is_settled_as_by_a_program_and_has_more_time(ctx: Context) -> None:
    acme = await limited(ctx)
    for cost in (60, 30):
        await reserve(acme.parts, acme.tenant, of(cost), lease_s=60 + cost)
    assert await left(acme) == (0, 10)
    small, large = await listed(acme)
    hurried = msgspec.structs.replace(acme.settings, check_timeout_ms=0)
    hasty = msgspec.structs.replace(acme, parts=msgspec.structs.replace(acme.parts, settings=hurried))
    with pytest.raises(Unavailable):
        await release(hasty.parts, hasty.tenant, large)
    assert (await release_by_hand(hasty, large)).status == "released"
    assert (await commit_by_hand(hasty, small, 12)).cost == 12
    assert (await left(acme), await listed(acme)) == ((12, 88), [])
    with pytest.raises(Conflict):
        await release_by_hand(acme, small)
    with pytest.raises(NotFound):
        await commit_by_hand(acme, "rsv_0", 1)
