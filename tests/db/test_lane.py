"""One connection for every task: each call ends in its value, its error, `NotSent` or `Unknown`, and never twice."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import uvloop
from redis import Redis
from redis.exceptions import ResponseError

from tests import servers
from tests.db.proxy import wire
from tests.servers import Server
from veloflux.db import client, commit, keys, lane, scripts
from veloflux.db.client import Db
from veloflux.db.commit import Commit
from veloflux.errors import NotSent, RedisFull, StartRefused, Unknown

OWNER = "ten_0wner"
TIMEOUT_MS = 400


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that the test may stop."""
    with servers.standalone() as server:
        yield server


@pytest.fixture
async def mortal_db(server: Server) -> AsyncIterator[Db]:
    db = await client.connect(server.url, TIMEOUT_MS)
    yield db
    await db.close()


async def test_64_tasks_at_once_get_each_its_own_answers(one_db: Db) -> None:
    async def ask(task: int) -> None:
        for at in range(50):
            assert await one_db.call("HSET", "vf:hash", f"{task}-{at}", f"{task}/{at}") == 1
            assert await one_db.call("HGET", "vf:hash", f"{task}-{at}") == f"{task}/{at}"

    await asyncio.gather(*(ask(task) for task in range(64)))
    assert await one_db.call("HLEN", "vf:hash") == 64 * 50


async def test_calls_of_one_turn_happen_in_their_order(one_db: Db) -> None:
    numbers = await asyncio.gather(*(one_db.call("INCR", "vf:number") for _ in range(1_000)))
    assert numbers == list(range(1, 1_001))


async def test_small_and_large_calls_of_one_turn_happen_in_their_order(one_db: Db) -> None:
    parts = [letter * size for letter in "abcdefgh" for size in (1, lane.LARGE_BYTES, 2)]
    await asyncio.gather(*(one_db.call("APPEND", "vf:text", part) for part in parts))
    assert await one_db.call("GET", "vf:text") == "".join(parts)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_large_call_is_at_the_server_while_its_caller_still_works(server: Server, run: Callable[..., None]) -> None:
    async def call_and_work() -> None:
        db = await client.connect(server.url)
        [to] = await db._nodes.masters()
        answer = to.call("SET", "vf:text", "x" * lane.LARGE_BYTES)
        with Redis.from_url(server.url) as another:
            deadline = time.monotonic() + 10
            while not another.exists("vf:text") and time.monotonic() < deadline:
                time.sleep(0.001)  # noqa: ASYNC251  the event loop does nothing else meanwhile
            assert another.exists("vf:text")
        assert await answer == "OK"
        await db.close()

    run(call_and_work())


async def test_callers_that_are_cancelled_leave_every_other_its_own_answer(one_db: Db) -> None:
    calls = [asyncio.create_task(one_db.call("HSET", "vf:hash", at, at)) for at in range(300)]
    reads = [asyncio.create_task(one_db.call("HGET", "vf:hash", at)) for at in range(300)]
    await asyncio.sleep(0)
    for at in range(0, 300, 3):
        reads[at].cancel()
    answers = await asyncio.gather(*reads, return_exceptions=True)
    assert [answer for answer in answers if not isinstance(answer, BaseException)] == [
        str(at) for at in range(300) if at % 3
    ]
    assert sum(await asyncio.gather(*calls)) == 300


async def test_an_error_of_the_server_is_that_calls_own(one_db: Db) -> None:
    good, bad, after = await asyncio.gather(
        one_db.call("SET", "vf:text", "x"),
        one_db.call("HGET", "vf:text", "field"),
        one_db.call("GET", "vf:text"),
        return_exceptions=True,
    )
    assert (good, after) == ("OK", "x")
    assert isinstance(bad, ResponseError)


async def test_bytes_that_are_no_text_come_back_as_they_were(one_db: Db) -> None:
    raw = bytes(range(256))
    await one_db.call("SET", "vf:text", raw)
    assert (await one_db.call("GET", "vf:text")).encode("utf-8", "surrogateescape") == raw


@pytest.mark.parametrize("command", sorted(lane.OWN_CONNECTION))
async def test_what_holds_or_changes_the_connection_is_refused(one_db: Db, command: str) -> None:
    with pytest.raises(ValueError, match="connection of its own"):
        await one_db.call(command, "vf:text")


async def test_a_frozen_server_ends_what_was_sent_in_unknown_and_the_rest_in_not_sent(
    server: Server, mortal_db: Db
) -> None:
    await mortal_db.call("SET", "vf:number", 0)
    server.process.send_signal(signal.SIGSTOP)
    try:
        sent = await asyncio.gather(*(mortal_db.call("INCR", "vf:number") for _ in range(3)), return_exceptions=True)
        with pytest.raises(NotSent):
            await mortal_db.call("INCR", "vf:number")
    finally:
        server.process.send_signal(signal.SIGCONT)
    assert [type(answer) for answer in sent] == [Unknown] * 3
    assert await mortal_db.call("GET", "vf:number") == "3"


async def test_a_killed_server_is_reached_again_when_it_is_back(server: Server, mortal_db: Db) -> None:
    assert await mortal_db.call("PING", "x") == "x"
    server.process.kill()
    server.process.wait()
    for _ in range(2):
        with pytest.raises((NotSent, Unknown)):
            await mortal_db.call("PING", "x")
    with pytest.raises(NotSent, match="cannot be reached"):
        await mortal_db.call("PING", "x")
    server.start()
    assert await mortal_db.call("PING", "x") == "x"


async def test_a_killed_connection_ends_what_was_sent_in_unknown_and_the_next_call_in_its_value(one_db: Db) -> None:
    [mine] = await one_db.every_master("CLIENT", "ID")
    await one_db.bulk.every_master("CLIENT", "PAUSE", 10_000, "WRITE")
    paused = asyncio.create_task(one_db.call("INCR", "vf:number"))
    await one_db.bulk.call("PING", "x")
    await one_db.bulk.every_master("CLIENT", "KILL", "ID", mine)
    with pytest.raises(Unknown):
        await paused
    await one_db.bulk.every_master("CLIENT", "UNPAUSE")
    assert await one_db.call("INCR", "vf:number") == 1


async def test_more_calls_than_may_wait_are_not_sent(one_db: Db) -> None:
    calls = [asyncio.create_task(one_db.call("INCR", "vf:number")) for _ in range(lane.IN_FLIGHT_MAX + 5)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert answers[: lane.IN_FLIGHT_MAX] == list(range(1, lane.IN_FLIGHT_MAX + 1))
    assert [type(answer) for answer in answers[lane.IN_FLIGHT_MAX :]] == [NotSent] * 5
    assert await one_db.call("INCR", "vf:number") == lane.IN_FLIGHT_MAX + 1


async def test_scripts_are_loaded_again_by_whoever_finds_them_missing(one_db: Db) -> None:
    hold = scripts.load("worker", "hold")

    async def flush() -> None:
        for _ in range(20):
            await one_db.bulk.every_master("SCRIPT", "FLUSH")

    async def ask() -> None:
        for _ in range(50):
            assert await one_db.script(hold, ["vf:lease"], ["wrk_1", 1_000]) == ["OK"]

    await asyncio.gather(flush(), *(ask() for _ in range(8)))


async def test_a_commit_whose_answer_is_lost_happens_once_and_gives_its_first_result(server: Server) -> None:
    async with wire(server.port) as (between, url):
        db = await client.connect(url, TIMEOUT_MS)
        change = Commit(OWNER)
        change.add(keys.tenant(OWNER), "count", 1)
        change.append({"name": "bell.rang"})
        await db.call("PING", "x")
        between.lose = 3
        ids = await commit.run(db, change)
        assert between.lost == 3
        assert await db.call("HGET", keys.tenant(OWNER), "count") == "1"
        assert [id_ for id_, _ in await db.call("XRANGE", keys.events(OWNER), "-", "+")] == ids
        await db.close()


async def test_a_lost_answer_is_unknown_and_not_repeated_by_itself(server: Server) -> None:
    async with wire(server.port) as (between, url):
        db = await client.connect(url, TIMEOUT_MS)
        await db.call("PING", "x")
        between.lose = 1
        with pytest.raises(Unknown):
            await db.call("INCR", "vf:number")
        assert await db.call("GET", "vf:number") == "1"
        await db.close()


async def test_a_full_redis_refuses_writes_but_not_those_that_free_or_settle(one_db: Db) -> None:
    await one_db.call("SET", "vf:lease", "wrk_1")
    await one_db.every_master("CONFIG", "SET", "maxmemory", 1)
    try:
        with pytest.raises(RedisFull):
            await one_db.call("SET", "vf:text", "x")
        change = Commit(OWNER)
        change.put(keys.tenant(OWNER), {"name": "Acme"})
        with pytest.raises(RedisFull):
            await commit.run(one_db, change)
        assert await one_db.script(scripts.load("worker", "hold"), ["vf:lease"], ["wrk_1", 0]) == ["OK"]
    finally:
        await one_db.every_master("CONFIG", "SET", "maxmemory", 0)
    assert await one_db.call("EXISTS", keys.tenant(OWNER)) == 0


async def test_many_calls_before_the_first_connection_share_one(server: Server) -> None:
    db = await client.connect(server.url)
    before = server.client.info("stats")["total_connections_received"]
    await asyncio.gather(*(db.bulk.call("PING", "x") for _ in range(100)))
    assert server.client.info("stats")["total_connections_received"] == before + 1
    await db.close()


async def test_closing_ends_what_is_under_way_and_refuses_what_comes_after(server: Server) -> None:
    db = await client.connect(server.url)
    server.client.client_pause(10_000)
    sent = asyncio.create_task(db.call("INCR", "vf:number"))
    await asyncio.sleep(0.05)
    await db.close()
    with pytest.raises(Unknown):
        await sent
    with pytest.raises(NotSent):
        await db.call("INCR", "vf:number")


async def test_a_burst_is_answered_in_order_errors_included(one_db: Db) -> None:
    await one_db.call("SET", "vf:text", "x")
    [(node, slots)] = await one_db.slots_by_master()
    commands = [lane.packed("GET", "vf:text"), lane.packed("HGET", "vf:text", "a"), lane.packed("ECHO", "last")]
    first, error, last = await node.burst(b"".join(commands), 3)
    assert (first, last, len(slots)) == ("x", "last", keys.SLOTS)
    assert isinstance(error, ResponseError)


async def test_a_server_that_is_away_is_refused_at_the_start_without_its_password() -> None:
    url = f"redis://app:hunter2@127.0.0.1:{servers.free_port()}/0"
    with pytest.raises(StartRefused, match="cannot be used") as refused:
        await client.connect(url)
    assert "hunter2" not in str(refused.value)


async def test_a_malformed_url_is_refused_at_the_start() -> None:
    with pytest.raises(StartRefused, match="malformed"):
        await client.connect("http://127.0.0.1")
