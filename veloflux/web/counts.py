"""What a web process counts, and how the processes add up: each writes its own file every second.

Counting is a few dictionary entries in memory: it is done for every request, and must cost next to nothing.
"""

import asyncio
import os
import shutil
import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec

from veloflux import limits

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
WRITTEN_EVERY_S = 1.0


class Timing(msgspec.Struct):
    """Answers by the bucket that their time falls into, the last one without an end, and the seconds of all."""

    buckets: list[int] = msgspec.field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))
    seconds: float = 0.0


class Request(msgspec.Struct, frozen=True, array_like=True):
    """What answers are told apart by."""

    operation: str
    method: str
    status: int


class Counts:
    """Answers by request, and their times by operation; checks that passed undecided."""

    def __init__(self) -> None:
        self.requests: defaultdict[Request, int] = defaultdict(int)
        self.timings: defaultdict[str, Timing] = defaultdict(Timing)
        self.passed_open = 0

    def note(self, operation: str, method: str, status: int, seconds: float) -> None:
        """Count one answer."""
        self.requests[Request(operation, method if method in METHODS else "other", status)] += 1
        timing = self.timings[operation]
        timing.buckets[bisect_left(BUCKETS_S, seconds)] += 1
        timing.seconds += seconds

    def add(self, other: "Saved") -> None:
        """Add what another process counted."""
        self.passed_open += other.passed_open
        for request, count in other.requests:
            self.requests[request] += count
        for operation, more in other.timings.items():
            timing = self.timings[operation]
            timing.buckets = [own + its for own, its in zip(timing.buckets, more.buckets, strict=True)]
            timing.seconds += more.seconds


class Saved(msgspec.Struct, frozen=True):
    """Counts as they stand in a file."""

    requests: list[tuple[Request, int]]
    timings: dict[str, Timing]
    passed_open: int = 0


own = Counts()
note = own.note


def folder_of(data_dir: Path) -> Path:
    """Where the processes of an installation leave their counts."""
    return data_dir.resolve() / "metrics"


def begin(folder: Path) -> None:
    """Forget what earlier processes counted."""
    shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def shared(folder: Path) -> AsyncIterator[None]:
    """Write this process's counts while the block runs, and once more at its end."""
    writing = asyncio.ensure_future(_keep_writing(folder))
    try:
        yield
    finally:
        writing.cancel()
        _write(folder)


def together(folder: Path) -> Counts:
    """The counts of all processes, those of this one as they are now."""
    _write(folder)
    total = Counts()
    for saved in _read(folder):
        total.add(saved)
    return total


async def _keep_writing(folder: Path) -> None:
    while True:
        await asyncio.sleep(WRITTEN_EVERY_S)
        await asyncio.to_thread(_put, folder, _encoded())  # a disk that syncs for Redis lets a file wait


def _write(folder: Path) -> None:
    _put(folder, _encoded())


def _encoded() -> bytes:
    return msgspec.json.encode(Saved(list(own.requests.items()), own.timings, limits.passed_open()))


def _put(folder: Path, content: bytes) -> None:
    """A disk that is full costs a second's counts in the file, not an answer."""
    path = folder / f"{os.getpid()}.json"
    new = path.with_suffix(f".{threading.get_ident()}")
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        new.write_bytes(content)
        new.replace(path)


def _read(folder: Path) -> Iterator[Saved]:
    for path in folder.glob("*.json"):
        with suppress(OSError, msgspec.DecodeError):
            yield msgspec.json.decode(path.read_bytes(), type=Saved)
