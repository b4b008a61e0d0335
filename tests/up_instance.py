"""One `veloflux up` in a process of its own, and the processes under it."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from redis import Redis

from veloflux import settings
from veloflux.db import embedded
from veloflux.settings import Settings

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
