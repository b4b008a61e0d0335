"""Access logs in Combined Log Format (Apache HTTP Server, "Log Files"): lines to events. Pure.

A line needs address, time, request, status and size (`-` is 0 bytes); what follows, referrer and user agent, may be
missing or cut off.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import BinaryIO, NamedTuple

from veloflux.kit.clock import EARLIEST, LATEST
from veloflux.metering.model import Event

EVENT_TYPE = "http.request"
SOURCE = "access_log"
LINE_MAX = 65_536
SIZE_DIGITS = 15
HOURS_KEPT = 48
LINE = re.compile(
    rb'(?P<address>\S+) \S+ (?:[^\[]*) ?\[(?P<time>[^\]]{20,30})\] "(?P<request>(?:[^"\\]|\\.)+)" '
    rb"(?P<status>[1-5]\d\d) (?P<size>\d+|-)(?: |$)"
)
MONTHS = {m: n for n, m in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
TIME = re.compile(rb"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")


class Bad(NamedTuple):
    """A line that is no request."""

    line: int
    reason: str


class Parsed(NamedTuple):
    """When, in epoch ms, and how many bytes were sent."""

    at: int
    size: int


def parse(line: bytes) -> Parsed | str:
    """A line without its end; a text says what is wrong with it.

    >>> parse(b'203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 512 "-" "curl/8"')
    Parsed(at=1431857103000, size=512)
    >>> parse(b'203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 304')
    'address, time, request, status or size is missing'
    """
    found = LINE.match(line)
    if not found:
        return "address, time, request, status or size is missing"
    at = time_of(found["time"])
    if at is None:
        return "the time is not one"
    size = found["size"]
    if len(size) > SIZE_DIGITS:
        return "the size is not one"
    return Parsed(at, 0 if size == b"-" else int(size))


@lru_cache(maxsize=1024)
def time_of(text: bytes) -> int | None:
    """Epoch ms of a time such as `17/May/2015:10:05:03 +0000`.

    >>> time_of(b"17/May/2015:07:05:03 -0300")
    1431857103000
    """
    found = TIME.fullmatch(text)
    if not found:
        return None
    day, month, year, hour, minute, second, sign, hours, minutes = found.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == b"-" else 1)
    try:
        zone = timezone(offset)
        at = datetime(int(year), MONTHS.get(month, 0), int(day), int(hour), int(minute), int(second), tzinfo=zone)
    except ValueError:
        return None
    ms = round(at.astimezone(UTC).timestamp()) * 1000
    return ms if EARLIEST <= ms < LATEST else None


class Ordinals:
    """Counts identical lines, so that each has an id of its own, the same each time the file is read.

    Identical lines carry the same second, and a server writes them near each other: the hours of the log that were
    last met are remembered, the others forgotten, which bounds the memory by the lines of 48 hours.
    """

    def __init__(self) -> None:
        self._hours: OrderedDict[int, dict[bytes, int]] = OrderedDict()

    def next(self, digest: bytes, at: int) -> int:
        """How many lines with this digest came before."""
        hour = at // 3_600_000
        counts = self._hours.setdefault(hour, {})
        self._hours.move_to_end(hour)
        if len(self._hours) > HOURS_KEPT:
            self._hours.popitem(last=False)
        seen = counts.get(digest, 0)
        counts[digest] = seen + 1
        return seen


def lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file without their ends; one that is too long comes as its first `LINE_MAX` bytes."""
    while line := file.readline(LINE_MAX):
        yield line.rstrip(b"\r\n")
        while line and len(line) == LINE_MAX and not line.endswith(b"\n"):
            line = file.readline(LINE_MAX)


def read(source: Iterable[bytes]) -> Iterator[Event | Bad]:
    """An event or what is wrong, for each line."""
    ordinals = Ordinals()
    for number, line in enumerate(source, 1):
        parsed = parse(line)
        if isinstance(parsed, str):
            yield Bad(number, parsed)
            continue
        digest = hashlib.blake2b(line, digest_size=16)
        id_ = f"{digest.hexdigest()}-{ordinals.next(digest.digest(), parsed.at)}"
        yield Event(EVENT_TYPE, id_, parsed.at, SOURCE, {"bytes": parsed.size})
