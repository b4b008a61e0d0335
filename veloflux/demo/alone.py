"""The demo where nothing runs: a VeloFlux of its own in a temporary folder, on a free port, ended afterwards."""

import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop

from veloflux import wiring
from veloflux.context import Actor, Context
from veloflux.demo import main_job
from veloflux.errors import StartRefused
from veloflux.settings import Settings, environment
from veloflux.terminal import os_user

RUNS = "VeloFlux runs"


def run() -> None:
    """Start, do the demo, stop.

    :raises StartRefused: VeloFlux did not start.
    """
    with tempfile.TemporaryDirectory(prefix="veloflux-demo-") as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        chosen = Settings(data_dir=Path(folder), port=port)
        with _up(environment(chosen)):
            uvloop.run(_demo(chosen))


async def _demo(chosen: Settings) -> None:
    async with wiring.build(chosen) as parts:
        await main_job.run(Context(parts=parts, actor=Actor(id=f"cli:{os_user()}")))


@contextmanager
def _up(environ: dict[str, str]) -> Iterator[None]:
    sys.stderr.write("Nothing runs here, so the demo starts a VeloFlux of its own in a temporary folder.\n")
    command = [sys.executable, "-m", "veloflux", "up"]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout
        if not any(line.startswith(RUNS) for line in process.stdout):
            raise StartRefused("VeloFlux did not start; `veloflux up` says why")
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()
