"""The comparison from end to end, as small as it goes, and the jobs on PostgreSQL: exact, each id once.

Nothing installs PostgreSQL for the tests; it is on the machines of those who measure.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import psutil
import pytest

from bench import postgres, postgres_server, postgres_stored
from bench.claims import section
from bench.comparison import Sizes
from bench.postgres_jobs import Postgres, Together, connected
from bench.veloflux_jobs import Events

NOON = 1_795_348_800_000
installed = pytest.mark.skipif(postgres_server.programs() is None, reason=postgres_server.HOW_TO_GET_IT)


@pytest.fixture
async def peer() -> AsyncIterator[Postgres]:
    with postgres_server.postgres() as socket:
        async with connected(socket) as jobs:
            yield jobs


@installed
async def test_every_job_is_compared() -> None:
    sizes = Sizes(stored=1_000, rounds=1, seconds=0.02, people=1, callers=8, senders=2, batch=20)
    rows = await postgres.measure(sizes) + await postgres_stored.measure(sizes)
    named = Counter(row.what.partition(",")[0].partition(" ")[0] for row in rows)
    assert named == {"session": 1, "commit": 1, "usage": 1, "units": 2, "event": 2, "events": 1, "the": 1, "memory:": 2}
    assert all(row.figure > 0 and row.ceiling > 0 and row.ceiling_is == "PostgreSQL" for row in rows)
    bars = {row.what.partition(",")[2]: row.least_ratio for row in rows if row.least_ratio}
    assert bars == {
        " exactly, 8 at once; PostgreSQL: a statement a call, 8 connections": 10,
        " one a call, each id once, 8 at once; PostgreSQL: a statement a call, 8 connections": 2,
    }
    assert len([line for line in section(rows) if line.startswith("|")]) == 2 + 9


@installed
async def test_a_quota_is_spent_exactly_however_it_is_asked(peer: Postgres) -> None:
    await peer.set_quota(100)
    mixed = [peer.spend(3) if n % 2 else peer.spend_together(3) for n in range(80)]
    assert Counter(await asyncio.gather(*mixed)) == {True: 33, False: 47}
    assert await peer.used() == 99
    assert await peer.spend_together(1)
    assert not await peer.spend(1)


@installed
async def test_an_event_counts_once_however_it_is_sent(peer: Postgres) -> None:
    events = Events("run", NOON).some(40)
    await asyncio.gather(*(peer.record(event) for event in events[:20]))
    await asyncio.gather(*(peer.record_together(event) for event in events[10:30]))
    await asyncio.gather(*(peer.ingest([*events, *events[:5]]) for _ in range(4)))
    assert await peer.counted() == 40
    [(hour, amount)] = await peer.read_usage("America/Sao_Paulo", NOON // 900_000, NOON // 900_000 + 1)
    assert (hour.timestamp() * 1000, amount) == (NOON, 40)


@installed
def test_the_server_ends_with_the_block_and_leaves_nothing() -> None:
    with postgres_server.postgres() as socket:
        [number, *_] = Path(socket, "data", "postmaster.pid").read_text().split()
        server = psutil.Process(int(number))
        assert server.username() != "root"
        settings = " ".join(server.cmdline())
        assert "fsync=on" in settings
        assert "synchronous_commit=on" in settings
    assert not server.is_running()
    assert not Path(socket).exists()


@installed
def test_a_failure_while_it_serves_ends_it_too() -> None:
    numbers: list[int] = []

    def fail() -> None:
        with postgres_server.postgres() as socket:
            numbers.append(int(Path(socket, "data", "postmaster.pid").read_text().split()[0]))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert [number for number in numbers if psutil.pid_exists(number)] == []
    assert len(numbers) == 1


def test_without_the_programs_it_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(postgres_server, "INSTALLED", tmp_path)
    assert "apt-get install postgresql" in postgres_server.absent()
    with pytest.raises(SystemExit, match="apt-get install postgresql"), postgres_server.postgres():
        pass


def test_the_newest_version_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for version in ("9", "15", "16"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "initdb").touch()
    monkeypatch.setattr(postgres_server, "INSTALLED", tmp_path)
    assert postgres_server.programs() == tmp_path / "16" / "bin"


async def test_who_waits_goes_with_the_next_batch_and_gets_their_own_answer() -> None:
    batches: list[list[int]] = []

    async def double(some: Sequence[int]) -> list[int]:
        batches.append(list(some))
        await asyncio.sleep(0.01)
        return [2 * one for one in some]

    together = Together(double, 1)
    first = asyncio.create_task(together.ask(0))
    await asyncio.sleep(0.001)
    assert await asyncio.gather(*(together.ask(n) for n in range(1, 6))) == [2, 4, 6, 8, 10]
    assert (await first, batches) == (0, [[0], [1, 2, 3, 4, 5]])
    assert await together.ask(7) == 14


async def test_a_batch_that_fails_fails_for_all_who_were_in_it_and_no_other() -> None:
    async def halve(some: Sequence[int]) -> list[int]:
        if any(one % 2 for one in some):
            raise ValueError("odd")
        return [one // 2 for one in some]

    together = Together(halve, 2)
    answers = await asyncio.gather(*(together.ask(n) for n in (2, 3)), return_exceptions=True)
    assert [type(one) for one in answers] == [ValueError, ValueError]
    assert await together.ask(4) == 2
