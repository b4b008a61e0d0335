"""The web process on its own port, on the tests' Valkey: for everything that is asked over HTTP."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.servers import free_port, wait_for
from tests.web import scene as scenes
from tests.web.scene import Scene
from veloflux.context import Context

OPEN = {"VELOFLUX_OIDC_PRIVATE_NETWORKS": "true", "VELOFLUX_FISCAL_PROVIDER": "fake"}
"""Lets the tests' own providers, which are on loopback, be asked, and the fake one of fiscal documents."""


@pytest.fixture(scope="package")
def web(standalone: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a web server with two processes and of a worker beside it, which end with this folder's tests: the worker
    would handle the events of others.
    """
    # A busy machine may take its time; what happens when it takes too long is tried elsewhere.
    paces = dict.fromkeys(("VELOFLUX_SESSION_PACE", "VELOFLUX_API_KEY_PACE", "VELOFLUX_ADDRESS_PACE"), "1000000/s")
    patient = {**paces, "VELOFLUX_CHECK_TIMEOUT_MS": "20000", "VELOFLUX_REDIS_TIMEOUT_MS": "20000"}
    with serving(standalone, tmp_path_factory.mktemp("web"), {"VELOFLUX_WEB_PROCESSES": "2", **patient, **OPEN}) as url:
        yield url


@contextmanager
def serving(redis_url: str, folder: Path, settings: dict[str, str]) -> Iterator[str]:
    """Run a web server and a worker with further settings; gives the server's URL when both are ready."""
    port = free_port()
    own = {
        "REDIS_URL": redis_url,
        "VELOFLUX_REDIS_UNSAFE": "true",
        "VELOFLUX_DATA_DIR": str(folder),
        "VELOFLUX_PORT": str(port),
        "VELOFLUX_SECRET": "YSBzZWNyZXQgb2YgdGhlIHRlc3RzLCAzMiBieXRlcyE",
    }
    started = [_start(name, folder, os.environ | own | settings) for name in ("serve", "worker")]
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: _is_ready(url), f"the web server ({folder})")
        yield url
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(30)


@pytest.fixture
async def http(web: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A client without credentials."""
    async with httpx2.AsyncClient(base_url=web, timeout=30) as client:
        yield client


@pytest.fixture
async def scene(one_ctx: Context) -> Scene:
    return await scenes.assemble(one_ctx)


def _start(command: str, folder: Path, environ: dict[str, str]) -> "subprocess.Popen[bytes]":
    with (folder / f"{command}.log").open("wb") as log:
        return subprocess.Popen([sys.executable, "-m", "veloflux", command], env=environ, stdout=log, stderr=log)


def _is_ready(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/readyz", timeout=2).status_code == 200
    except httpx2.TransportError:
        return False
