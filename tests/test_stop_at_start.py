"""`veloflux serve`, `worker` and `up` end soon and leave no process behind when they are stopped while they start."""

import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import psutil
import pytest

from tests.servers import free_port
from tests.up_instance import DEADLINE_S, alive, environment, wait_until
from veloflux.settings import Settings

ENDED = {0, -signal.SIGTERM}
"""Stopped in order, or before it had begun anything."""
MOMENTS, STARTS_IN_S = 10, 3.0


class Starting:
    """One command of a process, and all processes that it has had."""

    def __init__(self, settings: Settings, command: str, log: Path) -> None:
        self.log, self.port = log, settings.port
        with log.open("wb") as file:
            words = [sys.executable, "-m", "veloflux", command]
            self.process = subprocess.Popen(words, env=environment(settings), stdout=file, stderr=file)
        self.seen: dict[int, psutil.Process] = {}

    def look(self) -> list[psutil.Process]:
        """Its children, and theirs."""
        try:
            found = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        self.seen |= {each.pid: each for each in found}
        return found

    def ends(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code after one signal; none of its processes outlives it."""
        self.look()
        if self.process.poll() is None:
            self.process.send_signal(number)
        end = time.monotonic() + DEADLINE_S
        while self.process.poll() is None and time.monotonic() < end:
            self.look()
            time.sleep(0.01)
        assert self.process.poll() is not None, self.log.read_text()
        wait_until(lambda: not any(alive(each) for each in self.seen.values()))
        return self.process.returncode

    def kill(self) -> None:
        for each in (*self.look(), *self.seen.values()):
            if alive(each):
                each.kill()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@pytest.fixture
def starting(tmp_path: Path) -> Iterator["Start"]:
    start = Start(tmp_path)
    yield start
    for one in start.made:
        one.kill()


class Start:
    """Starts a command on a free port and, unless it is `up`, on a Redis that is given."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.made: list[Starting] = []

    def __call__(self, command: str, redis_url: str = "", web_processes: int = 1) -> Starting:
        number = len(self.made)
        own = self._folder / str(number)
        chosen = Settings(
            data_dir=own, port=free_port(), redis_url=redis_url, redis_unsafe=True, web_processes=web_processes
        )
        own.mkdir()
        self.made.append(Starting(chosen, command, self._folder / f"{number}.log"))
        return self.made[-1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_web_server_whose_process_has_just_begun_ends_with_0(
    starting: Start, standalone: str, number: signal.Signals
) -> None:
    serve = starting("serve", standalone)
    wait_until(lambda: bool(serve.look()))
    assert serve.ends(number) == 0
    assert "Traceback" not in serve.log.read_text()


@pytest.mark.parametrize("command", ["serve", "worker", "up"])
def test_what_waits_for_a_redis_that_does_not_answer_ends(starting: Start, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(DEADLINE_S)
        waiting = starting(command, f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        connection, _ = silent.accept()
        with connection:
            code = waiting.ends()
    assert code in {0, 1}, waiting.log.read_text()  # in order, or refused to use that Redis


@pytest.mark.parametrize("command", ["serve", "worker", "up"])
def test_a_stop_at_any_moment_of_the_start_is_obeyed(starting: Start, standalone: str, command: str) -> None:
    url = "" if command == "up" else standalone
    chance = random.Random(command)
    for at in range(MOMENTS):
        one = starting(command, url)
        end = time.monotonic() + chance.uniform(at, at + 1) * STARTS_IN_S / MOMENTS
        while time.monotonic() < end:
            one.look()
            time.sleep(0.01)
        assert one.ends() in ENDED, f"{at}: {one.log.read_text()}"
        assert "Traceback" not in one.log.read_text()


def test_a_web_server_all_of_whose_processes_are_asked_again_and_again_ends_in_order(
    starting: Start, standalone: str
) -> None:
    serve = starting("serve", standalone, web_processes=2)
    wait_until(lambda: answers(serve.port))
    processes = [psutil.Process(serve.process.pid), *serve.look()]
    assert len(processes) == 3
    for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGHUP, signal.SIGTERM):
        for each in processes:
            if alive(each):
                each.send_signal(number)
    assert serve.ends() == 0
    assert "Killing" not in serve.log.read_text()


def answers(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/healthz", timeout=2).status_code == 200
    except httpx2.TransportError:
        return False
