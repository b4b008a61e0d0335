"""A whole VeloFlux for the tests: `veloflux up` in a folder of its own, on a free port, stopped like Ctrl-C does it."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from tests.servers import free_port, wait_for

SETUP_LINK = re.compile(r"/console/setup/(\S+)")


class Instance:
    """`url` is the console's; `run` does a command in the same folder; `output` is what `up` printed."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.port = int(settings.pop("port", 0)) or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        names = {f"VELOFLUX_{name.upper()}": value for name, value in settings.items()}
        own = {"VELOFLUX_DATA_DIR": str(folder / "data"), "VELOFLUX_PORT": str(self.port)}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("VELOFLUX_", "REDIS_"))}
        self.environ = inherited | own | names
        self.log = folder / "up.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "veloflux", "up"], env=self.environ, stdout=log, stderr=log, cwd=folder
            )
        wait_for(self._ready, "veloflux up")

    @property
    def output(self) -> str:
        return self.log.read_text("utf-8", errors="replace")

    @property
    def setup_token(self) -> str:
        """The last one-time link that was printed."""
        return SETUP_LINK.findall(self.output)[-1]

    def run(self, *words: str, fails: bool = False) -> str:
        """Stdout of a command; its exit code must be 0, or 1 where it is to fail."""
        done = subprocess.run(
            [sys.executable, "-m", "veloflux", *words],
            env=self.environ,
            cwd=self.folder,
            check=False,
            capture_output=True,
        )
        out, err = done.stdout.decode(), done.stderr.decode()
        assert done.returncode == int(fails), f"{words}: exit code {done.returncode}\n{out}\n{err}"
        return err if fails else out

    def document(self, *words: str) -> Any:
        """The one JSON document of a command with --json."""
        return json.loads(self.run(*words, "--json"))

    def client(self, token: str | None = None) -> httpx2.Client:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=30)

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def _ready(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"veloflux up ended:\n{self.output}")
        try:
            return httpx2.get(f"{self.url}/readyz", timeout=2).status_code == 200 and "VeloFlux runs" in self.output
        except httpx2.TransportError:
            return False


@contextmanager
def instance(**settings: str) -> Iterator[Instance]:
    """Start, hand out, stop; an end that is not clean is an error."""
    with tempfile.TemporaryDirectory(prefix="vf-up-") as folder:
        running = Instance(Path(folder), **settings)
        try:
            yield running
        finally:
            code = running.stop()
        assert code == 0, f"exit code {code}\n{running.output}"
