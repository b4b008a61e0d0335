"""A power cut takes back all that was written and not synced. `kill -9` does not: the kernel still holds it.

So the server (`powercut.py`) is killed at a random moment under load, its file is cut to what was synced, and it starts
again: whatever was acknowledged must be there.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from tests.db.powercut import Machine, shim_in
from veloflux.db import embedded
from veloflux.settings import Settings

RUNS = 20
PAIR = "redis.call('SET', KEYS[1], ARGV[1]); redis.call('SET', KEYS[2], ARGV[1])"


@dataclass
class Writer:
    """Writes until the server is away, and remembers what was acknowledged and which pairs were begun."""

    url: str
    name: str
    write: Callable[["Writer", Redis, int], dict[str, str]]
    acknowledged: dict[str, str] = field(default_factory=dict)
    pairs: list[tuple[str, str]] = field(default_factory=list)

    def run(self) -> None:
        try:
            with Redis.from_url(self.url, retry=Retry(NoBackoff(), 0)) as client:
                for number in count():
                    self.acknowledged |= self.write(self, client, number)
        except RedisError:
            return

    def sets(self, client: Redis, number: int) -> dict[str, str]:
        key = f"{self.name}:{number}"
        client.set(key, key)
        return {key: key}

    def pipelines(self, client: Redis, number: int) -> dict[str, str]:
        written = {f"{self.name}:{number}:{item}": f"{number}" for item in range(20)}
        with client.pipeline(transaction=number % 2 == 0) as pipeline:
            for key, value in written.items():
                pipeline.set(key, value)
            pipeline.execute()
        return written

    def scripts(self, client: Redis, number: int) -> dict[str, str]:
        pair = (f"{self.name}:{number}:left", f"{self.name}:{number}:right")
        self.pairs.append(pair)
        client.eval(PAIR, 2, *pair, number)
        return dict.fromkeys(pair, str(number))


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shim_in(tmp_path_factory.mktemp("shim"))


@pytest.fixture
def machine(
    request: pytest.FixtureRequest, tmp_path: Path, shim: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Machine]:
    appendfsync, delay_us = request.param
    machine = Machine(Settings(data_dir=tmp_path, appendfsync=appendfsync), shim, monkeypatch, delay_us)
    machine.switch_on()
    yield machine
    embedded.stop(machine.server)


def lose_power_under_load(machine: Machine, run: int) -> list[Writer]:
    """Write from several clients, with a rewrite of the file in every second run; cut the power; switch on again."""
    moment = random.Random(run)
    url = embedded.connection_url(machine.settings)
    kinds = [Writer.sets] * 3 + [Writer.pipelines] * 2 + [Writer.scripts]
    writers = [Writer(url, f"{run}:{at}", kind) for at, kind in enumerate(kinds)]
    threads = [threading.Thread(target=writer.run) for writer in writers]
    for thread in threads:
        thread.start()
    while not all(writer.acknowledged for writer in writers):
        time.sleep(0.005)
    time.sleep(moment.uniform(0.0, 0.15))
    if run % 2:
        with machine.client() as client:
            client.bgrewriteaof()
    time.sleep(moment.uniform(0.0, 0.15))
    machine.cut_power()
    for thread in threads:
        thread.join()
    machine.switch_on()
    return writers


def missing(machine: Machine, writers: list[Writer]) -> list[str]:
    """Acknowledged keys that are gone or hold something else."""
    acknowledged: dict[str, str] = {}
    for writer in writers:
        acknowledged |= writer.acknowledged
    with machine.client() as client:
        found = client.mget(list(acknowledged))
    return [key for key, value in zip(acknowledged, found, strict=True) if value != acknowledged[key]]


def half_written(machine: Machine, writers: list[Writer]) -> list[tuple[str, str]]:
    """Scripts, acknowledged or not, of which one write is there and the other is not."""
    with machine.client() as client:
        return [pair for writer in writers for pair in writer.pairs if client.exists(*pair) == 1]


@pytest.mark.parametrize("machine", [("always", 300)], indirect=True)
def test_a_power_cut_takes_nothing_that_was_acknowledged(machine: Machine) -> None:
    everything: list[Writer] = []
    for run in range(RUNS):
        writers = lose_power_under_load(machine, run)
        assert missing(machine, writers) == []
        assert half_written(machine, writers) == []
        everything += writers
    assert missing(machine, everything) == []
    assert machine.bytes_lost, "the cuts took nothing back, so they have shown nothing"


@pytest.mark.parametrize("machine", [("everysec", 100_000)], indirect=True)
def test_the_same_power_cut_takes_acknowledged_writes_with_everysec(machine: Machine) -> None:
    writers = lose_power_under_load(machine, run=0)
    assert missing(machine, writers)
