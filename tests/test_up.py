"""`veloflux up` in processes of its own: readiness, orderly stop, refusals, and kill -9 of each process."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from redis import Redis

from tests.servers import free_port
from veloflux import process, settings
from veloflux.db import embedded
from veloflux.settings import Settings

UP = {"stand-ins": ("-m", "tests.stand_in", "up")}
DEADLINE_S = 60


class Instance:
    """One `veloflux up`; its output goes to files, so that it never waits for a reader."""

    def __init__(self, settings: Settings, output: Path, *command: str) -> None:
        self.settings = settings
        self._files = (output.with_suffix(".out"), output.with_suffix(".err"))
        with self._files[0].open("wb") as out, self._files[1].open("wb") as err:
            environ = environment(settings)
            self.up = subprocess.Popen([sys.executable, *command], env=environ, stdout=out, stderr=err)
        self._seen: dict[int, psutil.Process] = {}

    @property
    def out(self) -> list[str]:
        return self._files[0].read_text().splitlines()

    @property
    def err(self) -> list[str]:
        return self._files[1].read_text().splitlines()

    def ready(self) -> "Instance":
        return self.says(f"VeloFlux runs: {self.settings.console_url}")

    def says(self, line: str) -> "Instance":
        wait_until(lambda: line in self.out or self.up.poll() is not None)
        assert self.up.poll() is None, self.err
        self.below()
        return self

    def below(self) -> list[psutil.Process]:
        """All processes under `up`."""
        found = psutil.Process(self.up.pid).children(recursive=True)
        self._seen |= {each.pid: each for each in found}
        return found

    def find(self, role: str) -> psutil.Process:
        if role == "up":
            return psutil.Process(self.up.pid)
        return next(each for each in self.below() if role_of(each, self.up.pid) == role)

    def signal(self, number: signal.Signals) -> "Instance":
        self.below()
        self.up.send_signal(number)
        return self

    def exit_code(self) -> int:
        return self.up.wait(DEADLINE_S)

    def leaves_nothing(self) -> bool:
        wait_until(lambda: not any(alive(each) for each in self._seen.values()))
        return True

    def end(self) -> None:
        if self.up.poll() is None:
            self.signal(signal.SIGKILL)
            self.up.wait()
        for each in self._seen.values():
            if alive(each):
                each.kill()


@pytest.fixture
def data(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", port=free_port())


@pytest.fixture
def up(data: Settings, tmp_path: Path) -> Iterator[Callable[..., Instance]]:
    """Starts an instance; by default of the stand-ins on `data`."""
    started: list[Instance] = []

    def start(*how: str, on: Settings = data, kind: str = "stand-ins") -> Instance:
        started.append(Instance(on, tmp_path / f"up{len(started)}", *UP[kind], *how))
        return started[-1]

    yield start
    for instance in started:
        instance.end()


def environment(chosen: Settings) -> dict[str, str]:
    return settings.environment(chosen) | {"PYTHONPATH": str(Path(__file__).parents[1])}


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def alive(found: psutil.Process) -> bool:
    try:
        return found.is_running() and found.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def role_of(found: psutil.Process, up: int) -> str:
    if found.name().startswith("valkey"):
        return "embedded Redis"
    if found.ppid() != up:
        return "web server's own process"
    return "web" if {"web", "serve"} & set(found.cmdline()) else "worker"


def client(data: Settings) -> Redis:
    return Redis.from_url(embedded.connection_url(data), decode_responses=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_prints_the_url_and_stops_in_order_without_a_trace(
    up: Callable[..., Instance], data: Settings, number: signal.Signals
) -> None:
    instance = up().says("web started").says("worker started").ready().says("a further line")
    assert instance.signal(number).exit_code() == 0
    assert instance.leaves_nothing()
    told = [line for line in instance.out if not line.endswith("started")]
    assert told == [f"VeloFlux runs: {data.console_url}", "a further line", "web stopped", "worker stopped"]
    assert instance.err == []


def test_a_stop_before_it_is_ready_is_clean_too(up: Callable[..., Instance]) -> None:
    instance = up("never-ready").says("worker started")
    assert instance.signal(signal.SIGINT).exit_code() == 0
    assert instance.leaves_nothing()
    assert instance.err == []


VICTIMS = ["up", "web", "web server's own process", "worker", "embedded Redis"]


@pytest.mark.parametrize("kind", UP)
@pytest.mark.parametrize("victim", VICTIMS)
def test_after_a_kill_of_any_process_nothing_lives_on_and_nothing_acknowledged_is_lost(
    up: Callable[..., Instance], data: Settings, kind: str, victim: str
) -> None:
    first = up(kind=kind).ready()
    assert {role_of(each, first.up.pid) for each in first.below()} == set(VICTIMS) - {"up"}
    with client(data) as redis:
        redis.set("acknowledged", victim)
    first.find(victim).kill()
    assert first.exit_code() == (-signal.SIGKILL if victim == "up" else 1)
    second = up(kind=kind).ready()
    assert first.leaves_nothing()
    with client(data) as redis:
        assert redis.get("acknowledged") == victim
    assert second.signal(signal.SIGTERM).exit_code() == 0
    assert second.leaves_nothing()


@pytest.mark.parametrize("victim", ["web", "worker", "embedded Redis"])
def test_a_child_that_ends_by_itself_is_named_in_one_sentence(up: Callable[..., Instance], victim: str) -> None:
    instance = up().ready()
    instance.find(victim).kill()
    assert instance.exit_code() == 1
    (sentence,) = instance.err
    assert f"The {victim} process ended unexpectedly (signal SIGKILL)" in sentence
    assert "`veloflux up` starts again" in sentence


def test_a_child_that_fails_at_its_start_is_named_with_its_exit_code(up: Callable[..., Instance]) -> None:
    instance = up("fails")
    assert instance.exit_code() == 1
    assert len(instance.err) == 1
    assert "The web process ended unexpectedly (exit code 3)" in instance.err[0]


def test_a_folder_in_use_is_refused_naming_process_and_url(up: Callable[..., Instance], data: Settings) -> None:
    first = up().ready()
    second = up(on=Settings(data_dir=data.data_dir, port=free_port()))
    assert second.exit_code() == 1
    (sentence,) = second.err
    assert f"{data.data_dir} is in use by another VeloFlux (process {first.up.pid}, {data.console_url})" in sentence
    assert first.up.poll() is None
    assert first.signal(signal.SIGTERM).exit_code() == 0


def test_a_port_that_is_taken_is_refused_before_anything_starts(up: Callable[..., Instance], data: Settings) -> None:
    with socket.create_server(("127.0.0.1", data.port)):
        instance = up()
        assert instance.exit_code() == 1
    assert instance.err == [
        f"Port {data.port} of 127.0.0.1 is taken by another program; stop that one, or set VELOFLUX_PORT"
    ]
    assert instance.out == []
    assert not (data.data_dir / "redis").exists()


def test_an_address_of_another_machine_is_refused(up: Callable[..., Instance], data: Settings) -> None:
    instance = up(on=Settings(data_dir=data.data_dir, host="192.0.2.1"))
    assert instance.exit_code() == 1
    assert len(instance.err) == 1
    assert "VeloFlux cannot listen on 192.0.2.1 port 8080" in instance.err[0]


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/veloflux"])
def test_a_folder_that_cannot_be_written_is_refused(up: Callable[..., Instance], tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("a file where a folder should be; not even root can write into it")
    instance = up(on=Settings(data_dir=tmp_path / place, port=free_port()))
    assert instance.exit_code() == 1
    assert len(instance.err) == 1
    assert f"The data folder {tmp_path / place} cannot be written (" in instance.err[0]


def test_a_redis_of_ones_own_is_used_instead_of_the_embedded_one(
    up: Callable[..., Instance], data: Settings, standalone: str
) -> None:
    instance = up(on=Settings(data_dir=data.data_dir, port=data.port, redis_url=standalone)).ready()
    assert "embedded Redis" not in {role_of(each, instance.up.pid) for each in instance.below()}
    assert instance.signal(signal.SIGTERM).exit_code() == 0
    assert not (data.data_dir / "redis").exists()


def test_children_get_the_settings_of_their_parent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "veloflux.toml").write_text("port = 1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere")
    monkeypatch.setenv("VELOFLUX_HOST", "0.0.0.0")
    chosen = Settings(data_dir=tmp_path, redis_unsafe=True, trusted_proxies=("10.0.0.0/8", "::1/128"), secret="s" * 40)
    assert settings.load(settings.environment(chosen)) == chosen


STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(999)"


def test_a_child_that_ignores_its_end_is_killed_after_the_limit() -> None:
    with process.start([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        process.stop(child, within_s=0.1)
    assert child.returncode == -signal.SIGKILL


def test_a_child_whose_parent_ended_before_the_kernel_was_told_ends_at_once() -> None:
    late = f"from veloflux import process; process.die_with_parent({os.getpid()} + 1); print('lives')"
    ended = subprocess.run([sys.executable, "-c", late], capture_output=True, check=False)
    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, b"")


def test_a_stranger_that_nobody_reaps_counts_as_ended() -> None:
    with subprocess.Popen(["true"]) as unreaped:
        found = psutil.Process(unreaped.pid)
        wait_until(lambda: found.status() == psutil.STATUS_ZOMBIE)
        assert process.end([found], within_s=0.1) == []
