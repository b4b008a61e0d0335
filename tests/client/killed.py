"""A web process that can be killed and started again on its port."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import psutil

from tests.servers import free_port, wait_for


class Web:
    """Not started yet. `settings` are names and values of the environment."""

    def __init__(self, redis_url: str, folder: Path, **settings: str) -> None:
        self._folder, port = folder, free_port()
        self.url = f"http://127.0.0.1:{port}"
        own = {
            "REDIS_URL": redis_url,
            "VELOFLUX_REDIS_UNSAFE": "true",
            "VELOFLUX_DATA_DIR": str(folder),
            "VELOFLUX_PORT": str(port),
            "VELOFLUX_SECRET": "YSBzZWNyZXQgb2YgdGhlIHRlc3RzLCAzMiBieXRlcyE",
        }
        self._environ = os.environ | own | settings

    def start(self) -> None:
        """Start it, at first or again."""
        with (self._folder / "serve.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "veloflux", "serve"], env=self._environ, stdout=log, stderr=log
            )
        wait_for(self._is_ready, "the web server")

    def kill(self) -> None:
        """As kill -9 does it, all its processes at once."""
        found = psutil.Process(self._process.pid)
        for each in [found, *found.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        self._process.wait()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Started, and killed at the end."""
        self.start()
        try:
            yield
        finally:
            self.kill()

    def _is_ready(self) -> bool:
        try:
            return httpx2.get(f"{self.url}/healthz", timeout=2).status_code == 200
        except httpx2.TransportError:
            return False
