"""A PostgreSQL of its own to measure against: Debian's programs, a new data folder, a socket that nobody else sees.

It waits for the disk as VeloFlux does with `appendfsync always`: fsync and synchronous_commit are on, as are full page
writes. A cluster that the system runs is neither used nor touched.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

INSTALLED = Path("/usr/lib/postgresql")
HOW_TO_GET_IT = "PostgreSQL is not installed (Debian: apt-get install postgresql)"
OWNER = "postgres"
START_S, STOP_S = 60, 120
MIB = 2**20


def programs() -> Path | None:
    """The folder of the newest `initdb` and `postgres`; None: there is none."""
    found = sorted(INSTALLED.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@contextmanager
def postgres() -> Iterator[str]:
    """Run a server until the block ends; gives the folder of its socket.

    :raises SystemExit: it is not installed; the sentence says how to get it.
    """
    found = programs()
    if found is None:
        raise SystemExit(HOW_TO_GET_IT)
    folder = Path(tempfile.mkdtemp(prefix="vf-postgres-"))
    try:
        if os.getuid() == 0:
            shutil.chown(folder, OWNER, OWNER)
        _run([str(found / "initdb"), "-D", str(folder / "data"), "-U", "bench", "-A", "trust", "-E", "UTF8", "-N"])
        with _serving([str(found / "postgres"), "-D", str(folder / "data"), *_options(folder)], folder):
            yield str(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def absent() -> str:
    """How to get what is needed; "": it is there."""
    return "" if programs() else HOW_TO_GET_IT


def version() -> str:
    """Such as `PostgreSQL 15.8`."""
    found = programs()
    assert found, HOW_TO_GET_IT
    text = subprocess.run([str(found / "postgres"), "--version"], check=True, capture_output=True, text=True).stdout
    return f"PostgreSQL {text.split()[2]}"


def _options(folder: Path) -> list[str]:
    """Memory for all that is measured, and checkpoints far apart; all else is as it comes."""
    memory = psutil.virtual_memory().total
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "shared_buffers": f"{min(memory // 4, 4096 * MIB) // MIB}MB",
        "effective_cache_size": f"{memory // 2 // MIB}MB",
        "max_wal_size": "8GB",
        "checkpoint_timeout": "30min",
        "wal_compression": "lz4",
        "wal_buffers": "64MB",
        "random_page_cost": "1.1",
        "jit": "off",
    }
    return [part for name, value in options.items() for part in ("-c", f"{name}={value}")]


@contextmanager
def _serving(command: list[str], folder: Path) -> Iterator[None]:
    log = folder / "log"
    with log.open("wb") as out:
        server = subprocess.Popen(_owned(command), stdout=out, stderr=out)
    try:
        _wait_for(folder / ".s.PGSQL.5432", server, log)
        yield
    finally:
        server.send_signal(signal.SIGINT)  # ends the sessions, then itself
        try:
            server.wait(STOP_S)
        except subprocess.TimeoutExpired:
            server.send_signal(signal.SIGQUIT)
            server.wait()


def _wait_for(socket: Path, server: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + START_S
    while not socket.exists() or "ready to accept connections" not in log.read_text("utf-8", "replace"):
        if server.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"PostgreSQL does not start:\n{log.read_text('utf-8', 'replace')[-2000:]}")
        time.sleep(0.05)


def _run(command: list[str]) -> None:
    done = subprocess.run(_owned(command), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} fails:\n{done.stderr[-2000:]}")


def _owned(command: list[str]) -> list[str]:
    """As the user of Debian's package where we are root, whom PostgreSQL refuses; and not to outlive us."""
    ids = []
    if os.getuid() == 0:
        owner = pwd.getpwnam(OWNER)
        ids = ["--reuid", str(owner.pw_uid), "--regid", str(owner.pw_gid), "--clear-groups"]
    return ["setpriv", *ids, "--pdeathsig", "INT", "--", *command]
