"""The embedded server, run for real in temporary folders."""

import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, OutOfMemoryError
from redis.retry import Retry

from veloflux.db import embedded, memory
from veloflux.errors import StartRefused
from veloflux.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


@pytest.fixture
def server(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    started = embedded.start(settings)
    yield started
    embedded.stop(started)


def connected(settings: Settings) -> Redis:
    return Redis.from_url(embedded.connection_url(settings), decode_responses=True)


def run_by_nobody(settings: Settings) -> subprocess.Popen[bytes]:
    """A server of this folder as an owner that was killed would leave it where the kernel ends no children."""
    embedded.stop(embedded.start(settings))
    folder = settings.data_dir / "redis"
    with (folder / "valkey.log").open("ab") as log:
        orphan = subprocess.Popen([embedded.binary(), folder / "valkey.conf"], cwd=folder, stdout=log)
    with connected_soon(settings) as client:
        client.set("by", "orphan")
    return orphan


def connected_soon(settings: Settings) -> Redis:
    while True:
        with suppress(StartRefused):
            return connected(settings)


def test_what_was_written_is_there_after_a_stop_and_a_new_start(settings: Settings) -> None:
    for run in range(3):
        server = embedded.start(settings)
        with connected(settings) as client:
            assert client.incr("runs") == run + 1
        embedded.stop(server)
        assert server.returncode == 0


@pytest.mark.parametrize("name", ['with space, "quotes" and ü', "percent%20 and @ and #", "long" * 40])
def test_any_folder_name_can_be_used(tmp_path: Path, name: str) -> None:
    settings = Settings(data_dir=tmp_path / name)
    settings.data_dir.mkdir()
    server = embedded.start(settings)
    try:
        with connected(settings) as client:
            assert client.ping()
            assert client.config_get("dir")["dir"] == str(tmp_path / name / "redis")
        socket = embedded.socket_path(settings.data_dir / "redis")
        assert socket.parent.stat().st_mode & 0o777 == 0o700
    finally:
        embedded.stop(server)
        if not socket.is_relative_to(tmp_path):
            shutil.rmtree(socket.parent)


def test_the_configuration_is_in_force(server: subprocess.Popen[bytes], settings: Settings) -> None:
    expected = {
        "port": "0",
        "appendonly": "yes",
        "appendfsync": "always",
        "no-appendfsync-on-rewrite": "no",
        "save": "3600 1",
        "maxmemory": str(int(0.6 * memory.usable_bytes())),
        "maxmemory-policy": "noeviction",
        "stream-node-max-bytes": "1024",
        "hash-max-listpack-entries": "128",
        "unixsocketperm": "700",
    }
    with connected(settings) as client:
        found = client.config_get(*expected)
    assert found == expected
    assert not [c for c in psutil.Process(server.pid).net_connections("inet") if c.status == psutil.CONN_LISTEN]


def test_a_setting_relaxes_the_syncing(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, appendfsync="everysec")
    server = embedded.start(settings)
    with connected(settings) as client:
        assert client.config_get("appendfsync") == {"appendfsync": "everysec"}
    embedded.stop(server)


def test_a_full_server_refuses_writes_and_keeps_what_it_has(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, maxmemory_share=8_000_000 / memory.usable_bytes())
    server = embedded.start(settings)
    with connected(settings) as client:
        client.set("first", "kept")
        fill = client.pipeline(transaction=False)
        for number in range(20):
            fill.set(f"filler:{number}", "x" * 1_000_000)
        with pytest.raises(OutOfMemoryError):
            fill.execute()
        assert client.get("first") == "kept"
    embedded.stop(server)


@pytest.mark.usefixtures("server")
def test_the_server_answers_only_with_the_password(settings: Settings) -> None:
    folder = settings.data_dir / "redis"
    client = Redis(unix_socket_path=str(folder / "valkey.sock"), retry=Retry(NoBackoff(), 0))
    with client, pytest.raises(AuthenticationError):
        client.get("anything")
    for secret in ("password", "valkey.conf"):
        assert (folder / secret).stat().st_mode & 0o777 == 0o600


def test_the_password_stays_the_same_between_runs(settings: Settings) -> None:
    embedded.stop(embedded.start(settings))
    first = (settings.data_dir / "redis/password").read_text()
    embedded.stop(embedded.start(settings))
    assert (settings.data_dir / "redis/password").read_text() == first
    assert len(first) >= 43


def test_a_folder_without_a_running_server_says_how_to_start_it(settings: Settings) -> None:
    with pytest.raises(StartRefused, match=r"does not run on the data folder .* start it with `veloflux up`"):
        embedded.connection_url(settings)
    embedded.stop(embedded.start(settings))
    with pytest.raises(StartRefused, match=r"does not run on the data folder"):
        embedded.connection_url(settings)


def test_a_folder_that_cannot_be_made_is_refused_with_one_sentence(settings: Settings) -> None:
    (settings.data_dir / "redis").write_text("a file where the folder should be")
    with pytest.raises(StartRefused, match=r"cannot use .*/redis: File exists"):
        embedded.start(settings)


def test_a_damaged_append_only_file_is_refused_with_the_servers_own_reason(settings: Settings) -> None:
    server = embedded.start(settings)
    with connected(settings) as client:
        client.set("some", "value")
    embedded.stop(server)
    (settings.data_dir / "redis/appendonlydir/appendonly.aof.1.incr.aof").write_bytes(b"not a command\n" * 100)
    with pytest.raises(StartRefused, match="did not start: Bad file format reading the append only file"):
        embedded.start(settings)


def test_an_orphaned_server_is_ended_and_its_data_taken_over(settings: Settings) -> None:
    orphan = run_by_nobody(settings)
    server = embedded.start(settings)
    assert orphan.wait() == 0
    with connected(settings) as client:
        assert client.get("by") == "orphan"
        assert client.info("server")["process_id"] == server.pid
    embedded.stop(server)


def test_an_orphan_that_does_not_end_is_killed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    orphan = run_by_nobody(settings)
    orphan.send_signal(signal.SIGSTOP)
    monkeypatch.setattr(embedded, "ORPHAN_ENDS_WITHIN_S", 0.2)
    server = embedded.start(settings)
    assert orphan.wait() == -signal.SIGKILL
    with connected(settings) as client:
        assert client.get("by") == "orphan"
    embedded.stop(server)


def test_the_server_of_another_folder_is_left_alone(server: subprocess.Popen[bytes], tmp_path: Path) -> None:
    other = Settings(data_dir=tmp_path / "other")
    other.data_dir.mkdir()
    embedded.stop(embedded.start(other))
    assert server.poll() is None


def test_a_long_load_is_waited_for_and_reported(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    server = embedded.start(settings)
    with connected(settings) as client:
        client.eval("for i = 1, 150000 do redis.call('SET', 'key:' .. i, 'value') end", 0)
    embedded.stop(server)
    monkeypatch.setattr(embedded, "POLLS_PER_REPORT", 1)
    reports: list[str] = []
    server = embedded.start(settings, reports.append)
    with connected(settings) as client:
        assert client.dbsize() == 150_000
    embedded.stop(server)
    assert reports
    assert all(re.fullmatch(r"Redis is loading its data: \d\d? %", line) for line in reports)


def test_the_ballast_gives_64_mb_back_to_a_full_disk(settings: Settings) -> None:
    embedded.stop(embedded.start(settings))
    ballast = (settings.data_dir / "redis/ballast").stat()
    assert ballast.st_size == 64 * 1024 * 1024
    assert ballast.st_blocks * 512 >= ballast.st_size
    assert embedded.release_ballast(settings)
    assert not embedded.release_ballast(settings)


def test_a_nearly_full_disk_gets_no_ballast(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "SPARE_BYTES", shutil.disk_usage(settings.data_dir).total)
    embedded.stop(embedded.start(settings))
    assert not embedded.release_ballast(settings)


@pytest.mark.parametrize(
    ("membership", "limits", "usable"),
    [
        ("0::/\n", {"memory.max": "1000000"}, 1_000_000),
        ("0::/a/b\n", {"a/memory.max": "3000000", "a/b/memory.max": "max"}, 3_000_000),
        ("4:cpu,memory:/a\n0::/\n", {"memory/a/memory.limit_in_bytes": "2000000"}, 2_000_000),
        ("4:memory:/a\n", {"memory/a/memory.limit_in_bytes": "9223372036854771712"}, None),
        ("0::/elsewhere\n", {}, None),
    ],
)
def test_memory_is_what_the_machine_and_the_control_groups_allow(
    tmp_path: Path, membership: str, limits: dict[str, str], usable: int | None
) -> None:
    (tmp_path / "membership").write_text(membership)
    for name, text in limits.items():
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_text(text + "\n")
    machine = psutil.virtual_memory().total
    assert memory.usable_bytes(tmp_path / "membership", tmp_path / "tree") == (usable or machine)
