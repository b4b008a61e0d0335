"""Reserve, then commit or release; what nobody settles returns when its lease is over."""

import asyncio

import msgspec
import pytest

from tests import whole_database
from tests.customers import asked, customer, key, put_policy, quota, rate
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import Conflict, IdReused, InputInvalid, NotAuthenticated, NotFound
from veloflux.limits import Question, Settled, check, commit, release, reserve
from veloflux.metering import read_usage
from veloflux.plans import catalogue

ONE = Question(meter="requests")


def of(cost: int, id_: str = "") -> Question:
    return Question(meter="requests", cost=cost, id=id_)


async def with_quota(ctx: Context, limit: int = 10) -> Context:
    acme = await customer(ctx)
    await put_policy(acme, rates=(), quotas=(quota(limit),))
    return acme


async def left(ctx: Context) -> tuple[object, object]:
    """Used and remaining."""
    seen = await check(ctx.parts, ctx.tenant, msgspec.structs.replace(ONE, dry_run=True))
    return seen.used, seen.remaining


async def let_leases_end(ctx: Context) -> None:
    """What time does, for a test that cannot wait."""
    name = keys.leases(ctx.tenant, "requests")
    for member in await ctx.db.call("ZRANGE", name, 0, -1):
        await ctx.db.call("ZADD", name, 1, member)
        id_ = member.partition("|")[0]
        await ctx.db.call("HSET", keys.reservation(ctx.tenant, id_), "until", 1)


async def test_what_is_reserved_is_held_and_what_is_committed_is_counted(ctx: Context) -> None:
    acme = await with_quota(ctx)
    held = await reserve(acme.parts, acme.tenant, of(8))
    assert (held.cost, held.decision.used, held.decision.remaining) == (8, 0, 2)
    assert not (await check(acme.parts, acme.tenant, of(3))).allowed
    assert not (await reserve(acme.parts, acme.tenant, of(3))).decision.allowed
    done = await commit(acme.parts, acme.tenant, held.id, 5)
    assert done.decision
    assert (done.status, done.cost, done.late, done.decision.used, done.decision.remaining) == (
        "committed",
        5,
        False,
        5,
        5,
    )
    assert await left(acme) == (5, 5)
    assert (await read_usage(acme, "requests")).total == 5


async def test_more_may_be_committed_than_was_reserved_even_beyond_the_quota(ctx: Context) -> None:
    acme = await with_quota(ctx)
    held = await reserve(acme.parts, acme.tenant, of(8))
    await commit(acme.parts, acme.tenant, held.id, 13)
    assert await left(acme) == (13, 0)


async def test_a_reservation_whose_lease_is_over_is_not_given_again(ctx: Context) -> None:
    acme = await with_quota(ctx)
    await reserve(acme.parts, acme.tenant, of(10, "job"))
    await let_leases_end(acme)
    assert (await check(acme.parts, acme.tenant, of(10))).allowed
    with pytest.raises(IdReused, match="over"):
        await reserve(acme.parts, acme.tenant, of(10, "job"))


async def test_what_was_reserved_of_a_meter_that_changed_since_says_what_to_do(one_ctx: Context) -> None:
    acme = await with_quota(one_ctx)
    held = await reserve(acme.parts, acme.tenant, of(3))
    [meter] = [one for one in catalogue().meters if one.name == "requests"]
    await put_policy(acme, rates=(), quotas=(quota(10),), meters=(msgspec.structs.replace(meter, version=2),))
    with pytest.raises(Conflict, match="as an event"):
        await commit(acme.parts, acme.tenant, held.id, 2)


async def test_a_release_counts_nothing_and_each_step_may_be_repeated(ctx: Context) -> None:
    acme = await with_quota(ctx)
    kept, given = [await reserve(acme.parts, acme.tenant, of(4)) for _ in range(2)]
    first, again = [await commit(acme.parts, acme.tenant, kept.id, 3) for _ in range(2)]
    assert (first.cost, again.cost, again.status) == (3, 3, "committed")
    for _ in range(2):
        assert await release(acme.parts, acme.tenant, given.id) == Settled(
            id=given.id, meter="requests", status="released", cost=0
        )
    assert await left(acme) == (3, 7)
    for step in (
        commit(acme.parts, acme.tenant, kept.id, 2),
        release(acme.parts, acme.tenant, kept.id),
        commit(acme.parts, acme.tenant, given.id, 2),
    ):
        with pytest.raises(Conflict):
            await step
    assert await left(acme) == (3, 7)


async def test_a_lease_that_is_over_returns_by_itself_and_a_late_commit_still_counts(ctx: Context) -> None:
    acme = await with_quota(ctx)
    lost, late = [await reserve(acme.parts, acme.tenant, of(4)) for _ in range(2)]
    await let_leases_end(acme)
    assert (await check(acme.parts, acme.tenant, of(9))).allowed
    done = await commit(acme.parts, acme.tenant, late.id, 4)
    assert (done.late, await left(acme)) == (True, (13, 0))
    await release(acme.parts, acme.tenant, lost.id)
    state = await ctx.db.call("HGET", keys.limits(acme.tenant), "reserved:requests")
    assert (state, await ctx.db.call("ZCARD", keys.leases(acme.tenant, "requests"))) == ("0", 0)


async def test_a_reservation_takes_from_the_rates_once_and_its_id_is_one_with_the_ids_of_checks(ctx: Context) -> None:
    acme = await customer(ctx)
    await put_policy(acme, rates=(rate(count=1, burst=6),), quotas=(quota(100),))
    held, again = [await reserve(acme.parts, acme.tenant, of(4, "job")) for _ in range(2)]
    assert (held.id, held.until) == (again.id, again.until)
    assert [one.decision.rates[0].remaining for one in (held, again)] == [2, 2]
    refused = await reserve(acme.parts, acme.tenant, of(3))
    assert (refused.decision.allowed, refused.decision.refused_by) == (False, "rate:r")
    for other in (reserve(acme.parts, acme.tenant, of(5, "job")), check(acme.parts, acme.tenant, of(4, "job"))):
        with pytest.raises(IdReused):
            await other
    await release(acme.parts, acme.tenant, held.id)
    with pytest.raises(IdReused, match="is over"):
        await reserve(acme.parts, acme.tenant, of(4, "job"))


async def test_of_many_who_settle_at_once_one_does_and_what_is_held_never_passes_the_quota(ctx: Context) -> None:
    acme = await with_quota(ctx, 50)
    held = await asyncio.gather(*(reserve(acme.parts, acme.tenant, of(3)) for _ in range(30)))
    passed = [one for one in held if one.decision.allowed]
    assert len(passed) == 16
    steps = [step for one in passed for step in (commit(acme.parts, acme.tenant, one.id, 2),) * 1]
    steps += [release(acme.parts, acme.tenant, one.id) for one in passed]
    ended = await asyncio.gather(*steps, return_exceptions=True)
    committed = [one for one in ended[: len(passed)] if isinstance(one, Settled)]
    assert [isinstance(one, Conflict) for one in ended].count(True) == len(passed)
    assert await left(acme) == (2 * len(committed), 50 - 2 * len(committed))


async def test_who_may_not_settle_changes_nothing(ctx: Context) -> None:
    acme, globex = await with_quota(ctx), await customer(ctx, "Globex")
    mine, foreign = await key(acme), await key(globex)
    held = await reserve(acme.parts, acme.tenant, asked(mine, cost=2))
    await check(globex.parts, globex.tenant, asked(foreign))
    before = await whole_database.contents(ctx.db)
    with pytest.raises(NotAuthenticated):
        await commit(acme.parts, acme.tenant, held.id, 1, asked(foreign))
    with pytest.raises(NotFound):
        await commit(globex.parts, globex.tenant, held.id, 1, asked(foreign))
    for nonsense in (
        "",
        "rsv_0",
        held.id + "x",
        held.id.replace("requests", "bytes"),
        held.id.replace("requests", "no"),
    ):
        with pytest.raises(NotFound):
            await release(acme.parts, acme.tenant, nonsense, asked(mine))
    assert await whole_database.contents(ctx.db) == before


@pytest.mark.parametrize(("cost", "lease_s"), [(1, 0), (1, 86_401), (0, 60)])
async def test_absurd_reservations_are_refused(one_ctx: Context, cost: int, lease_s: int) -> None:
    with pytest.raises(InputInvalid):
        await reserve(one_ctx.parts, "ten_1", of(cost), lease_s)
    with pytest.raises(InputInvalid):
        await reserve(one_ctx.parts, "ten_1", Question(feature="sso"))
    with pytest.raises(InputInvalid):
        await commit(one_ctx.parts, "ten_1", "rsv_0", -1)
