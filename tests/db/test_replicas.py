"""Writes that are answered when a replica has them: a fail-over loses none of those."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from tests import servers
from tests.servers import Server
from veloflux.db import client
from veloflux.db.client import Db
from veloflux.errors import Unknown

TIMEOUT_MS = 1_000


@pytest.fixture
def primary() -> Iterator[Server]:
    with servers.standalone() as server:
        yield server


@pytest.fixture
def replica(primary: Server) -> Iterator[Server]:
    with servers.standalone("--replicaof", f"127.0.0.1 {primary.port}") as server:
        servers.wait_for(lambda: server.client.info("replication")["master_link_status"] == "up", "the replica")
        yield server


@pytest.fixture
async def confirmed(primary: Server, replica: Server) -> AsyncIterator[Db]:
    db = await client.connect(primary.url, TIMEOUT_MS, replicas=1)
    yield db
    await db.close()


async def test_what_is_answered_stands_in_the_replica(confirmed: Db, replica: Server) -> None:
    for at in range(200):
        await confirmed.call("SET", f"vf:{at}", at)
        assert replica.client.get(f"vf:{at}") == str(at)


async def test_answers_and_errors_keep_their_order(confirmed: Db) -> None:
    calls = [
        confirmed.call("INCR", "vf:number") if at % 3 else confirmed.call("HGET", "vf:number", "field")
        for at in range(300)
    ]
    answers = await asyncio.gather(confirmed.call("SET", "vf:number", 0), *calls, return_exceptions=True)
    assert [answer for answer in answers[1:] if isinstance(answer, int)] == list(range(1, 201))
    assert sum("WRONGTYPE" in str(answer) for answer in answers) == 100


async def test_without_its_replica_a_write_is_not_said_to_be_done(
    confirmed: Db, primary: Server, replica: Server
) -> None:
    replica.stop()
    with pytest.raises(Unknown, match="0 replicas of 1"):
        await confirmed.call("SET", "vf:text", "x")
    assert primary.client.get("vf:text") == "x"


async def test_a_caller_that_is_cancelled_while_it_waits_holds_up_nobody(confirmed: Db) -> None:
    calls = [asyncio.ensure_future(confirmed.call("INCR", "vf:number")) for _ in range(9)]
    for _ in range(2):  # the first turn makes the calls, the second sends them
        await asyncio.sleep(0)
    calls[4].cancel()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert [answer for answer in answers if isinstance(answer, int)] == [1, 2, 3, 4, 6, 7, 8, 9]


async def test_a_primary_that_dies_leaves_what_waits_unknown_and_what_was_answered_safe(
    primary: Server, replica: Server, confirmed: Db
) -> None:
    answered: set[int] = set()
    many = asyncio.Event()

    async def write(task: int) -> None:
        for at in range(task * 10_000, task * 10_000 + 2_000):
            await confirmed.call("SET", f"vf:{at}", at)
            answered.add(at)
            if len(answered) > 2_000:
                many.set()

    writers = [asyncio.ensure_future(write(task)) for task in range(16)]
    await many.wait()
    primary.process.kill()
    ends = await asyncio.gather(*writers, return_exceptions=True)
    assert any(isinstance(end, Exception) for end in ends)
    replica.client.replicaof("NO", "ONE")
    assert [at for at in sorted(answered) if replica.client.get(f"vf:{at}") is None] == []
