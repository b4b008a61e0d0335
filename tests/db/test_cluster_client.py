"""The cluster's redirections, during real migrations and take-overs; in a cluster of its own."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator

import pytest
from redis.exceptions import ResponseError

from tests import servers
from tests.db.resharding import Layout, slot_of
from tests.servers import Server
from veloflux.db import client, commit, due, keys
from veloflux.db.client import Db
from veloflux.db.commit import Commit
from veloflux.errors import Unavailable

OWNERS = [f"ten_{number}" for number in range(12)]
MOVED = OWNERS[0]


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[Server]]:
    with servers.cluster() as nodes:
        yield nodes


@pytest.fixture
def layout(nodes: list[Server]) -> Iterator[Layout]:
    layout = Layout(nodes[0].url)
    yield layout
    layout.close()


@pytest.fixture
async def db(nodes: list[Server]) -> AsyncIterator[Db]:
    db = await client.connect(nodes[0].url)
    await db.every_master("FLUSHALL")
    yield db
    await db.close()


def rung(owner: str, number: int) -> Commit:
    change = Commit(owner)
    change.add(keys.tenant(owner), "count", 1)
    change.put(keys.limits(owner), {"number": str(number)})
    change.append({"name": "bell.rang"})
    return change


async def test_keys_of_every_master_are_served_and_each_master_answers(db: Db) -> None:
    await asyncio.gather(*(db.call("SET", keys.setup(owner), owner) for owner in OWNERS))
    assert await asyncio.gather(*(db.call("GET", keys.setup(owner)) for owner in OWNERS)) == OWNERS
    counts = await db.every_master("DBSIZE")
    assert (len(counts), sum(counts)) == (3, len(OWNERS))
    assert all(counts)


async def test_the_due_sets_of_all_masters_are_seen(db: Db) -> None:
    for owner in OWNERS:
        await commit.run(db, rung(owner, 1))
    assert {member for member, _ in await due.first_members(db)} == set(OWNERS)


async def test_keys_of_two_slots_in_one_commit_are_refused_whole(db: Db) -> None:
    change = Commit(OWNERS[0])
    change.put(keys.tenant(OWNERS[0]), {"a": "1"})
    change.put(keys.tenant(OWNERS[1]), {"a": "1"})
    with pytest.raises(ResponseError, match="slot"):
        await commit.run(db, change)
    assert await db.call("EXISTS", keys.tenant(OWNERS[0])) == 0


async def test_a_slot_that_moved_is_found_at_its_new_master(db: Db, layout: Layout) -> None:
    await db.call("SET", keys.setup(MOVED), "x")
    slot = slot_of(MOVED)
    layout.move(slot, layout.another(slot))
    assert await asyncio.gather(*(db.call("GET", keys.setup(MOVED)) for _ in range(50))) == ["x"] * 50


async def test_while_a_slot_moves_both_moved_and_waiting_keys_are_served(db: Db, layout: Layout) -> None:
    slot = slot_of(MOVED)
    names = [keys.member(MOVED, str(number)) for number in range(40)]
    for name in names:
        await db.call("SET", name, name)
    source, target = layout.owner(slot), layout.another(slot)
    layout.begin(slot, source, target)
    for _ in range(4):
        layout.move_keys(slot, source, target, 10)
        assert await asyncio.gather(*(db.call("GET", name) for name in names)) == names
    assert await db.call("SET", keys.setup(MOVED), "made meanwhile") == "OK"
    layout.end(slot, source, target)
    assert await db.call("GET", keys.setup(MOVED)) == "made meanwhile"


async def test_a_commit_waits_until_its_slot_has_moved(db: Db, layout: Layout) -> None:
    """A server refuses several keys of which one is missing, here that of its own replay, while their slot moves."""
    slot = slot_of(MOVED)
    await commit.run(db, rung(MOVED, 0))
    source, target = layout.owner(slot), layout.another(slot)
    layout.begin(slot, source, target)
    layout.move_keys(slot, source, target, 2)
    waiting = asyncio.create_task(commit.run(db, rung(MOVED, 1)))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    layout.move_keys(slot, source, target)
    layout.end(slot, source, target)
    assert len(await waiting) == 1
    assert await db.call("HGET", keys.tenant(MOVED), "count") == "2"


async def test_slots_that_move_under_load_lose_and_repeat_nothing(db: Db, layout: Layout) -> None:
    stop = asyncio.Event()

    async def ring(owner: str) -> int:
        done = 0
        while not stop.is_set():
            await commit.run(db, rung(owner, done))
            done += 1
        return done

    ringing = [asyncio.create_task(ring(owner)) for owner in OWNERS for _ in range(3)]
    for owner in OWNERS:
        await asyncio.to_thread(layout.move, slot_of(owner), layout.another(slot_of(owner)))
    stop.set()
    done = await asyncio.gather(*ringing)
    for at, owner in enumerate(OWNERS):
        expected = sum(done[3 * at : 3 * at + 3])
        assert await db.call("HGET", keys.tenant(owner), "count") == str(expected)
        assert await db.call("XLEN", keys.events(owner)) == expected
    assert sum(done) > len(OWNERS)


async def test_a_cancelled_call_during_a_redirection_harms_no_other(db: Db, layout: Layout) -> None:
    slot = slot_of(MOVED)
    source, target = layout.owner(slot), layout.another(slot)
    layout.begin(slot, source, target)
    calls = [asyncio.create_task(db.call("INCR", keys.member(MOVED, str(at)))) for at in range(200)]
    for at in range(0, 200, 2):
        asyncio.get_running_loop().call_later(at / 50_000, calls[at].cancel)
    answers = await asyncio.gather(*calls, return_exceptions=True)
    layout.move_keys(slot, source, target)
    layout.end(slot, source, target)
    assert list(answers[1::2]) == [1] * 100
    counted = [await db.call("GET", keys.member(MOVED, str(at))) for at in range(200)]
    assert set(counted[1::2]) == {"1"}
    assert set(counted[::2]) <= {"1", None}


async def test_a_frozen_master_ends_its_calls_within_the_deadline_and_no_other_masters(
    nodes: list[Server], layout: Layout
) -> None:
    db = await client.connect(nodes[0].url, timeout_ms=200)
    for owner in OWNERS:
        await db.call("SET", keys.setup(owner), owner)
    frozen = next(node for node in nodes if node.port == _port(layout.owner(slot_of(MOVED))))
    others = [owner for owner in OWNERS if _port(layout.owner(slot_of(owner))) != frozen.port]
    frozen.process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(Unavailable):
            await db.call("GET", keys.setup(MOVED))
        assert [await db.call("GET", keys.setup(owner)) for owner in others] == others
    finally:
        frozen.process.send_signal(signal.SIGCONT)
    assert await db.call("GET", keys.setup(MOVED)) == MOVED
    await db.close()


async def test_when_a_replica_takes_over_the_call_that_waits_is_served_by_it(
    db: Db, nodes: list[Server], layout: Layout
) -> None:
    owner = OWNERS[5]
    await commit.run(db, rung(owner, 1))
    port = _port(layout.owner(slot_of(owner)))
    master = next(node for node in nodes if node.port == port)
    replica = next(node for node in nodes if _master_port(node) == port)
    await _until_replicated(master, replica)
    master.process.kill()
    master.process.wait()
    waiting = asyncio.create_task(_patient(db, owner))
    await asyncio.sleep(0.05)
    replica.client.execute_command("CLUSTER", "FAILOVER", "TAKEOVER")
    assert await waiting == "1"
    await commit.run(db, rung(owner, 2))
    assert await db.call("HGET", keys.tenant(owner), "count") == "2"
    master.start()


async def _patient(db: Db, owner: str) -> str:
    """Read until there is an answer; `Unknown` of a read may be repeated too."""
    while True:
        try:
            return str(await db.call("HGET", keys.tenant(owner), "count"))
        except Unavailable:
            await asyncio.sleep(0.01)


async def _until_replicated(master: Server, replica: Server) -> None:
    def is_same() -> bool:
        ours, theirs = master.client.info("replication"), replica.client.info("replication")
        return bool(theirs["master_link_status"] == "up" and theirs["slave_repl_offset"] >= ours["master_repl_offset"])

    await asyncio.to_thread(servers.wait_for, is_same, "the replication")


def _master_port(node: Server) -> int:
    return int(node.client.info("replication").get("master_port", 0))


def _port(one: object) -> int:
    return int(one.connection_pool.connection_kwargs["port"])  # type: ignore[attr-defined]
