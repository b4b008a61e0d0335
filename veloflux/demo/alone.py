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
from veloflux.context import Context, at_terminal
from veloflux.demo import main_job
from veloflux.errors import StartRefused
from veloflux.settings import Settings, environment

LINK = "/console/setup/"


def run() -> None:
    """Start, do the demo, stop.

    :raises StartRefused: VeloFlux did not start.
    """
    with tempfile.TemporaryDirectory(prefix="veloflux-demo-") as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        chosen = Settings(data_dir=Path(folder), port=port)
        with _up(environment(chosen)) as setup_token:
            uvloop.run(_demo(chosen, setup_token))


async def _demo(chosen: Settings, setup_token: str) -> None:
    async with wiring.build(chosen) as parts:
        ctx = Context(parts=parts, actor=at_terminal())
        await main_job.create_operator(ctx, setup_token)
        await main_job.run(ctx)


@contextmanager
def _up(environ: dict[str, str]) -> Iterator[str]:
    """A running instance; gives the token of its one-time link."""
    sys.stderr.write("Nothing runs here, so the demo starts a VeloFlux of its own in a temporary folder.\n")
    command = [sys.executable, "-m", "veloflux", "up"]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout
        link = next((line for line in process.stdout if LINK in line), "")
        if not link:
            raise StartRefused("VeloFlux did not start; `veloflux up` says why")
        yield link.strip().rpartition(LINK)[2]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()
