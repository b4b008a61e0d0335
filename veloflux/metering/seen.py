"""How an event is recognised when it comes again: a mark of its identity and of its content, kept in buckets.

An event is tenant, source and id. The mark of its identity is a digest of 64 bits, keyed with the installation's
secret, so that nobody can choose ids that meet. Its first 32 bits, the spot, choose the bucket; all 64 stand in it. A
new event is taken for one of the n that a tenant has remembered with probability n / 2^64: below 10^-9 up to 18,000
million events. Beside it stands a whole number, 12 bits of a checksum of the content, so that 4,095 of 4,096 ids that
come again with another content are told; it is negative for what a check counted, which says nothing of an event's
content.

Buckets are small hashes (their entries lie side by side, about 14 bytes each). There are as many as the events need: by
linear hashing, one bucket at a time is split in two, so that a tenant with few events has one, and growth never stops
the rest. Two generations by arrival are asked, each as long as the plan remembers, so an event is recognised for one to
two such times.
"""

import functools
import hashlib
import math
import struct
import zlib
from typing import NamedTuple

BUCKET_GOOD = 64
CONTENTS = 4_096

SOURCES_MAX = 100
SPOTS = struct.Struct(">I4x")


class Seen(NamedTuple):
    """What `seen` in the limits hash says: the number of the present generation, when it began (epoch ms), its buckets,
    those of the generation before (0: none), and how long its buckets remember at least (ms)."""

    number: int = 0
    since: int = 0
    buckets: int = 0
    before: int = 0
    seen_ms: int = 0

    @classmethod
    def read(cls, text: str) -> "Seen":
        """From the text; "" when nothing was seen yet.

        >>> Seen.read("2:1747494000000:8:3:3024000000").buckets
        8
        """
        return cls(*map(int, text.split(":"))) if text else cls()

    @property
    def text(self) -> str:
        return ":".join(map(str, self)) if self.number else ""

    def is_over(self, real: int, seen_ms: int) -> bool:
        """Whether a new generation is due at a real time, both in ms."""
        return not self.number or real >= self.since + seen_ms

    def next(self, real: int, seen_ms: int, events: int) -> "Seen":
        """The generation that follows, for as many events as are at hand: half as large as this one at least, so that
        it need not grow all the way again, and one without events shrinks."""
        buckets = max(math.ceil(events / BUCKET_GOOD), self.buckets // 2, 1)
        return Seen(self.number + 1, real, buckets, self.buckets, seen_ms)


def places(marks: bytes, buckets: int) -> list[int]:
    """The bucket of each of several marks that lie one after another, by linear hashing: as many bits of the spot as
    half of the buckets need, one more where it is split.

    >>> places(b"".join(map(SPOTS.pack, range(8))), 5)
    [0, 1, 2, 3, 4, 1, 2, 3]
    """
    half = 1 << (buckets.bit_length() - 1)
    found = [spot % (half + half) for (spot,) in SPOTS.iter_unpack(marks)]
    return [at if at < buckets else at - half for at in found]


def parent(child: int) -> int:
    """The bucket whose entries a new one shares.

    >>> [parent(child) for child in range(1, 8)]
    [0, 0, 1, 0, 1, 2, 3]
    """
    return child - (1 << (child.bit_length() - 1))


@functools.lru_cache(maxsize=10_000)
def marker(secret: bytes, tenant: str) -> "Marker":
    """The marker of a tenant; made once."""
    return Marker(secret, tenant)


class Marker:
    """Makes the marks of one tenant's events under the key of the installation."""

    def __init__(self, secret: bytes, tenant: str) -> None:
        self._tenant = hashlib.blake2b(tenant.encode(), digest_size=8, key=secret)
        self._sources: dict[str, hashlib.blake2b] = {}

    def mark(self, source: str, id_: str) -> bytes:
        """8 bytes, the same for the same source and id, whatever process asks."""
        state = (self._sources.get(source) or self._begin(source)).copy()
        state.update(id_.encode())
        return state.digest()

    def _begin(self, source: str) -> "hashlib.blake2b":
        """What all marks of a source begin with; few sources send most events."""
        if len(self._sources) >= SOURCES_MAX:
            self._sources.clear()
        state = self._sources[source] = self._tenant.copy()
        state.update(f"\0{len(source)}\0{source}".encode())
        return state


def of_event(content: bytes) -> int:
    """What tells an event's content from another, 0 to 4095 (CRC-32, cut).

    >>> of_event(b"123456789")
    2342
    """
    return zlib.crc32(content) % CONTENTS


def of_check(content: bytes) -> int:
    """The same for what a check counts, -1 to -4096.

    >>> of_check(b"123456789")
    -2343
    """
    return -1 - zlib.crc32(content) % CONTENTS
