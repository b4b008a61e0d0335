"""An embedded server on a disk that forgets what was not synced when the power goes.

`powercut.c` records how much of the append-only file each sync made durable. The server is killed, the file is cut to
the recorded size, and the server starts again. Only the incremental files are cut: Valkey syncs a rewritten base file
and the manifest before it uses them.
"""

import struct
import subprocess
from pathlib import Path

import pytest
from redis import Redis

from veloflux.db import embedded
from veloflux.settings import Settings

SOURCE = Path(__file__).with_name("powercut.c")


def shim_in(folder: Path) -> Path:
    """The library that the server is started with."""
    library = folder / "powercut.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", library, SOURCE, "-ldl"], check=True)
    return library


class Machine:
    """One server, its disk, and the switch; `delay_us` is how long a sync takes at least."""

    def __init__(self, settings: Settings, shim: Path, monkeypatch: pytest.MonkeyPatch, delay_us: int) -> None:
        self.settings = settings
        self.record = settings.data_dir / "synced"
        self.files = settings.data_dir / "redis/appendonlydir"
        self.bytes_lost = 0
        self._environment = monkeypatch
        self._preload = {
            "LD_PRELOAD": str(shim),
            "POWERCUT_RECORD": str(self.record),
            "POWERCUT_DELAY_US": str(delay_us),
        }

    def switch_on(self) -> None:
        self.record.unlink(missing_ok=True)
        with self._environment.context() as environment:
            for name, value in self._preload.items():
                environment.setenv(name, value)
            self.server = embedded.start(self.settings)
        self.durable_at_start = {path.name: path.stat().st_size for path in self.files.glob("*.incr.aof")}

    def cut_power(self) -> None:
        self.server.kill()
        self.server.wait()
        durable = self.durable_at_start | synced(self.record)
        for path in self.files.glob("*.incr.aof"):
            size = path.stat().st_size
            kept = min(size, durable.get(path.name, 0))
            with path.open("r+b") as file:
                file.truncate(kept)
            self.bytes_lost += size - kept

    def client(self) -> Redis:
        return Redis.from_url(embedded.connection_url(self.settings), decode_responses=True)


def synced(record: Path) -> dict[str, int]:
    rows = struct.iter_unpack("56sQ", record.read_bytes())
    return {name.rstrip(b"\0").decode(): size for name, size in rows if size}
