"""`veloflux up` in processes of its own: readiness, orderly stop, refusals, and kill -9 of each process."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import msgspec
import psutil
import pytest

from tests.servers import free_port
from tests.up_instance import Instance, client, role_of, wait_until
from veloflux import process, settings
from veloflux.context import Secrets
from veloflux.identity import links
from veloflux.secret_file import installation_secret
from veloflux.settings import Settings

UP = {"stand-ins": ("-m", "tests.stand_in", "up"), "real": ("-m", "veloflux", "up")}


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


def test_a_stop_while_it_looks_at_redis_is_not_lost(up: Callable[..., Instance]) -> None:
    instance = up("deaf").says("preparing")
    assert instance.signal(signal.SIGTERM).exit_code() == 0
    assert instance.leaves_nothing()
    assert instance.out == ["preparing"]


VICTIMS = ["up", "web", "web server's own process", "worker", "embedded Redis"]


@pytest.mark.parametrize("victim", VICTIMS)
def test_after_a_kill_of_any_process_nothing_lives_on_and_nothing_acknowledged_is_lost(
    up: Callable[..., Instance], data: Settings, victim: str
) -> None:
    first = up().ready()
    with client(data) as redis:
        redis.set("acknowledged", victim)
    kill(first, victim)
    second = up().ready()
    assert first.leaves_nothing()
    with client(data) as redis:
        assert redis.get("acknowledged") == victim
    assert second.signal(signal.SIGTERM).exit_code() == 0
    assert second.leaves_nothing()


def test_the_commands_too_start_again_with_all_that_was_acknowledged_after_a_kill_of_each_in_turn(
    up: Callable[..., Instance], data: Settings
) -> None:
    running = up(kind="real").ready()
    with httpx2.Client(base_url=data.console_url, timeout=30) as http:
        for at, victim in enumerate(VICTIMS):
            account = {"email": f"ana{at}@example.com", "password": "correct horse battery staple"}
            assert http.post("/api/auth/register", json={"name": "Ana", **account}).status_code == 202
            kill(running, victim)
            killed, running = running, up(kind="real").ready()
            assert killed.leaves_nothing()
            confirmed = http.post("/api/auth/verify", json={"token": verification(data)})
            assert confirmed.status_code == 201, victim
    assert running.signal(signal.SIGTERM).exit_code() == 0
    assert running.leaves_nothing()


def verification(data: Settings) -> str:
    """The token of the link that confirms the one registration that waits."""
    with client(data) as redis:
        [key] = redis.keys("vf:user:*:registration")
        user = key.split("{")[1].split("}")[0]
        return links.token_of(Secrets(installation_secret(data)), "verify", user, redis.hget(key, "id"))


def kill(instance: Instance, victim: str) -> None:
    """End one process without a warning; `up` ends too."""
    assert {role_of(each, instance.up.pid) for each in instance.below()} == set(VICTIMS) - {"up"}
    instance.find(victim).kill()
    assert instance.exit_code() == (-signal.SIGKILL if victim == "up" else 1)


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


def test_the_command_prints_url_and_one_time_link_and_stops_with_0(up: Callable[..., Instance], data: Settings) -> None:
    instance = up(kind="real").ready()
    link = rf"Create the operator's account .*: {re.escape(data.console_url)}/console/setup/[0-9a-z]{{32}}"
    wait_until(lambda: len(instance.out) == 2)
    assert re.fullmatch(link, instance.out[1])
    setup = instance.out[1].rpartition(": ")[2]
    assert httpx2.get(setup, timeout=30).status_code == 200
    assert instance.signal(signal.SIGTERM).exit_code() == 0
    assert instance.leaves_nothing()
    assert not [line for line in instance.err if "Traceback" in line or "[error" in line]


UNUSABLE = {
    "redis://127.0.0.1:{free}/0": "cannot be used: Redis cannot be reached: Error 111",
    "redis://nobody:wrong@127.0.0.1:{port}/0": "redis://nobody:…@127.0.0.1:{port}/0 cannot be used",
    "redis://127.0.0.1:{port}/99": "cannot be used",
    "redis://127.0.0.1:{port}/0": "VELOFLUX_REDIS_UNSAFE",
    "redis://127.0.0.1:port/0": "REDIS_URL redis://127.0.0.1:port/0 is malformed",
    "http://127.0.0.1:{port}": "REDIS_URL http://127.0.0.1:{port} is malformed",
    "localhost": "REDIS_URL localhost",
}


@pytest.mark.parametrize("url", UNUSABLE)
def test_a_redis_that_cannot_be_used_is_refused_in_one_sentence_before_anything_starts(
    up: Callable[..., Instance], data: Settings, standalone: str, url: str
) -> None:
    ports = {"port": urlsplit(standalone).port, "free": free_port()}
    instance = up(kind="real", on=msgspec.structs.replace(data, redis_url=url.format(**ports)))
    assert instance.exit_code() == 1
    (sentence,) = instance.err
    assert UNUSABLE[url].format(**ports) in sentence
    assert "wrong" not in sentence
    assert instance.out == []


def test_the_command_refuses_a_folder_in_use_a_taken_port_and_a_folder_that_cannot_be_written(
    up: Callable[..., Instance], data: Settings, tmp_path: Path
) -> None:
    running = up().ready()
    elsewhere = msgspec.structs.replace(data, data_dir=tmp_path / "other")
    for on, sentence in (
        (msgspec.structs.replace(data, port=free_port()), f"is in use by another VeloFlux (process {running.up.pid},"),
        (elsewhere, f"Port {data.port} of 127.0.0.1 is taken"),
        (msgspec.structs.replace(data, data_dir=Path("/proc/veloflux")), "The data folder /proc/veloflux cannot be"),
    ):
        refused = up(kind="real", on=on)
        assert refused.exit_code() == 1
        assert [sentence in line for line in refused.err] == [True], refused.err
        assert refused.out == []
    assert running.signal(signal.SIGTERM).exit_code() == 0


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
