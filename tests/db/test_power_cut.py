"""A power cut takes back all that was written and not synced. `kill -9` does not: the kernel still holds it.

So `powercut.c` records how much of the append-only file each sync made durable. The server is killed at a random moment
under load, the file is cut to the recorded size, and the server starts again: whatever was acknowledged must be there.
Only the incremental files are cut. Valkey syncs a rewritten base file and the manifest before it uses them.
"""

import random
import struct
import subprocess
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

from veloflux.db import embedded
from veloflux.settings import Settings

RUNS = 20
SOURCE = Path(__file__).with_name("powercut.c")
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


class Machine:
    """An embedded server on a disk that forgets what was not synced when the power goes."""

    def __init__(self, settings: Settings, shim: Path, monkeypatch: pytest.MonkeyPatch, delay_us: int) -> None:
        self.settings = settings
        self.record = settings.data_dir / "synced"
        self.files = settings.data_dir / "redis/appendonlydir"
        self.bytes_lost = 0
        self._environment = monkeypatch
        self._preload = {
            "LD_PRELOAD": str(shim),
            "POWERCUT_RECORD": str(self.record),
            "POWERCUT_DELAY_US": str(delay_us),
        }

    def switch_on(self) -> None:
        self.record.unlink(missing_ok=True)
        with self._environment.context() as environment:
            for name, value in self._preload.items():
                environment.setenv(name, value)
            self.server = embedded.start(self.settings)
        self.durable_at_start = {path.name: path.stat().st_size for path in self.files.glob("*.incr.aof")}

    def cut_power(self) -> None:
        self.server.kill()
        self.server.wait()
        durable = self.durable_at_start | synced(self.record)
        for path in self.files.glob("*.incr.aof"):
            size = path.stat().st_size
            kept = min(size, durable.get(path.name, 0))
            with path.open("r+b") as file:
                file.truncate(kept)
            self.bytes_lost += size - kept

    def client(self) -> Redis:
        return Redis.from_url(embedded.connection_url(self.settings), decode_responses=True)


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = tmp_path_factory.mktemp("shim") / "powercut.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", library, SOURCE, "-ldl"], check=True)
    return library


@pytest.fixture
def machine(
    request: pytest.FixtureRequest, tmp_path: Path, shim: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Machine]:
    appendfsync, delay_us = request.param
    machine = Machine(Settings(data_dir=tmp_path, appendfsync=appendfsync), shim, monkeypatch, delay_us)
    machine.switch_on()
    yield machine
    embedded.stop(machine.server)


def synced(record: Path) -> dict[str, int]:
    rows = struct.iter_unpack("56sQ", record.read_bytes())
    return {name.rstrip(b"\0").decode(): size for name, size in rows if size}


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
