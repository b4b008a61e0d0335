import asyncio

import msgspec
import pytest

from tests.customers import NOON, customer
from tests.worker.working import (
    ALICE,
    BOB,
    FAST,
    Answered,
    note,
    noted,
    nothing_due,
    ring,
    tables,
    until,
    working,
)
from veloflux import jobs
from veloflux.context import Context
from veloflux.db import commit, keys, streams
from veloflux.db.commit import Commit
from veloflux.errors import CommitRefused
from veloflux.events import Recorded
from veloflux.transaction import Transaction
from veloflux.worker.tables import Ordered, Tables

PATIENT = msgspec.structs.replace(FAST, retry_ms=60_000, lease_ms=60_000)
UNHURRIED = msgspec.structs.replace(FAST, retry_ms=50)
EVENT = Recorded(
    id="1-0", owner=ALICE, name="bell.rang", at=1, actor="worker", request="req_1", data={"number": 1}, changes={}
)


class Broken(Exception):
    pass


class Sometimes:
    """A handler that fails while it is told to, after it has added its effect to the transaction."""

    __name__ = "sometimes"

    def __init__(self, *, fails_on: set[int]) -> None:
        self.fails_on = fails_on
        self.calls = 0

    async def __call__(self, ctx: Context, event: Recorded, tx: Transaction) -> None:
        self.calls += 1
        await note(ctx, event, tx)
        if event.data["number"] in self.fails_on:
            raise Broken("not yet")


async def settled(ctx: Context, rows: Tables) -> None:
    """Let a worker handle all that is due."""
    async with working(ctx.parts, rows):
        await until(lambda: nothing_due(ctx))


async def test_each_owners_events_are_handled_once_and_in_order_by_many_workers(ctx: Context) -> None:
    owners = [f"ten_{number}" for number in range(8)]
    async with working(ctx.parts, tables({"bell.rang": [note]}), workers=4):
        await asyncio.gather(*(ring(ctx, owner, *range(30)) for owner in owners))
        await until(lambda: nothing_due(ctx))
    assert {owner: await noted(ctx, owner) for owner in owners} == {owner: list(range(30)) for owner in owners}


async def test_events_that_nobody_announced_are_found_by_the_poll(ctx: Context) -> None:
    async with working(ctx.parts, tables({"bell.rang": [note]})):
        await until(lambda: ctx.db.call("EXISTS", keys.poll_lease()))
        change = Commit(ALICE)
        about = {"at": "1", "actor": "worker", "request": "req_1", "changes": "{}"}
        change.append({"name": "bell.rang", "data": '{"number": 7}', **about})
        await commit.run(ctx.db, change)
        await until(lambda: nothing_due(ctx))
    assert await noted(ctx, ALICE) == [7]


async def test_events_without_a_handler_only_move_the_cursor(ctx: Context) -> None:
    await ring(ctx, ALICE, *range(250))
    await settled(ctx, tables())
    [[last, _]] = await ctx.db.call("XREVRANGE", keys.events(ALICE), "+", "-", "COUNT", 1)
    assert await ctx.db.call("HGETALL", keys.outbox(ALICE)) == ["cursor", last]


async def test_a_handler_can_say_further_events_that_are_handled_in_their_turn(ctx: Context) -> None:
    async def answer(_ctx: Context, event: Recorded, tx: Transaction) -> None:
        tx.event(Answered(number=int(str(event.data["number"])) + 100))

    await ring(ctx, ALICE, 1, 2)
    await settled(ctx, tables({"bell.rang": [answer], "bell.answered": [note]}))
    assert await noted(ctx, ALICE) == [101, 102]


async def test_a_handler_that_fails_leaves_no_effect_of_that_attempt(ctx: Context) -> None:
    handler = Sometimes(fails_on={1})
    await ring(ctx, ALICE, 1)
    async with working(ctx.parts, tables({"bell.rang": [handler]}), pace=PATIENT):
        await until(lambda: ctx.db.call("HGET", keys.outbox(ALICE), "failures"))
        assert await noted(ctx, ALICE) == []
    assert handler.calls == 1


async def test_a_handler_that_fails_three_times_becomes_a_job_and_its_owner_goes_on(ctx: Context) -> None:
    handler = Sometimes(fails_on={2})
    await ring(ctx, ALICE, 1, 2, 3)
    async with working(ctx.parts, tables({"bell.rang": [handler]}), pace=UNHURRIED):
        await until(lambda: ctx.db.call("EXISTS", keys.jobs(ALICE)))
        await until(lambda: _noted(ctx, ALICE, [1, 3]))
        handler.fails_on.clear()
        await until(lambda: nothing_due(ctx))
    assert await noted(ctx, ALICE) == [1, 3, 2]
    assert await ctx.db.call("EXISTS", keys.jobs(ALICE)) == 0


async def test_when_one_of_two_handlers_fails_the_other_takes_effect_once(ctx: Context) -> None:
    broken = Sometimes(fails_on={1})
    await ring(ctx, ALICE, 1, 2)
    async with working(ctx.parts, tables({"bell.rang": [broken, note]}), pace=UNHURRIED):
        await until(lambda: _noted(ctx, ALICE, [1, 2]))


async def test_an_ordered_handler_that_fails_stops_its_owner_alone_and_raises_the_alarm(ctx: Context) -> None:
    handler = Sometimes(fails_on={2})
    await asyncio.gather(ring(ctx, ALICE, 1, 2, 3), ring(ctx, BOB, 4))
    async with working(ctx.parts, tables({"bell.rang": [Ordered(handler)]})):
        await until(lambda: jobs.stopped_owners(ctx))
        await until(lambda: _noted(ctx, BOB, [4]))
        calls = handler.calls
        await until(lambda: _called(handler, calls + 3))
        assert await jobs.stopped_owners(ctx) == [ALICE]
        assert await noted(ctx, ALICE) == [1]
        handler.fails_on.clear()
        await until(lambda: nothing_due(ctx))
    assert await noted(ctx, ALICE) == [1, 2, 3]
    assert await jobs.stopped_owners(ctx) == []


async def test_a_commit_that_is_refused_counts_as_a_failure_of_its_handlers(ctx: Context) -> None:
    async def mistaken(_ctx: Context, event: Recorded, tx: Transaction) -> None:
        tx.put(keys.events(event.owner), {"a": "stream is no hash"})

    await ring(ctx, ALICE, 1)
    async with working(ctx.parts, tables({"bell.rang": [mistaken]}), pace=PATIENT):
        await until(lambda: ctx.db.call("HGET", keys.outbox(ALICE), "failures"))
    tx = Transaction(ctx, ALICE)
    await mistaken(ctx, EVENT, tx)
    with pytest.raises(CommitRefused):
        await commit.run(ctx.db, tx)


async def test_a_worker_whose_lease_was_lost_has_no_effect(ctx: Context) -> None:
    entered, released = asyncio.Event(), asyncio.Event()

    async def slow(ctx: Context, event: Recorded, tx: Transaction) -> None:
        await note(ctx, event, tx)
        if not entered.is_set():
            entered.set()
            await released.wait()

    rows = tables({"bell.rang": [slow]})
    async with working(ctx.parts, rows, pace=PATIENT):
        await ring(ctx, ALICE, 1, 2, 3)
        await entered.wait()
        async with working(ctx.parts, rows):
            await ctx.db.call("ZADD", keys.due(ALICE), 0, ALICE)
            await until(lambda: nothing_due(ctx))
            released.set()
    assert await noted(ctx, ALICE) == [1, 2, 3]


async def test_an_effect_in_another_slot_happens_once_though_the_event_comes_again(ctx: Context) -> None:
    async def elsewhere(ctx: Context, event: Recorded, _tx: Transaction) -> None:
        change = Commit(BOB)
        change.once(event.owner, event.id, "bells heard")
        change.add(keys.limits(BOB), "heard", 1)
        await commit.run(ctx.db, change)

    rows = tables({"bell.rang": [elsewhere]})
    await ring(ctx, ALICE, 1, 2)
    await settled(ctx, rows)
    await ctx.db.call("DEL", keys.outbox(ALICE))
    await ctx.db.call("ZADD", keys.due(ALICE), 0, ALICE)
    await settled(ctx, rows)
    assert await ctx.db.call("HGET", keys.limits(BOB), "heard") == "2"


async def test_what_a_handler_read_and_another_changed_meanwhile_is_read_again(ctx: Context) -> None:
    async def count(ctx: Context, event: Recorded, tx: Transaction) -> None:
        key = keys.limits(event.owner)
        seen = await ctx.db.call("HGET", key, "count")
        if event.data["number"] == 1 and seen is None:
            await ctx.db.call("HSET", key, "count", 10)
        tx.expect(key, "count", seen)
        tx.put(key, {"count": str(int(seen or 0) + 1)})

    await ring(ctx, ALICE, 1, 2)
    await settled(ctx, tables({"bell.rang": [count]}))
    assert await ctx.db.call("HGET", keys.limits(ALICE), "count") == "12"


async def test_what_a_handler_says_is_at_the_tenants_clock_and_under_the_request_that_caused_it(ctx: Context) -> None:
    async def answer(_ctx: Context, event: Recorded, tx: Transaction) -> None:
        tx.event(Answered(number=int(str(event.data["number"]))))

    acme = await customer(ctx)
    await ring(acme, acme.tenant, 1)
    await settled(ctx, tables({"bell.rang": [answer]}))
    [rang, answered] = (await streams.after(ctx.db, acme.tenant, "", 100))[-2:]
    assert (answered.name, answered.actor, answered.request) == ("bell.answered", "worker", acme.request)
    assert answered.at == rang.at == NOON


async def _noted(ctx: Context, owner: str, numbers: list[int]) -> bool:
    return await noted(ctx, owner) == numbers


async def _called(handler: Sometimes, times: int) -> bool:
    return handler.calls >= times
