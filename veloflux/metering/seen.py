"""How an event is recognised when it comes again: a mark of its identity and of its content, kept in buckets.

An event is tenant, source and id. Of their digest, keyed with the installation's secret, 32 bits choose the bucket and
48 stand in it, beside 16 bits that tell whether the content is the same. Two generations by arrival are asked, so an
event is recognised for 35 to 70 days. A new event is taken for one of the `n` in its two buckets with probability
n / 2^48: below 10^-12 at 256.
"""

import functools
import hashlib
import zlib

from veloflux.kit.clock import DAY_MS

GENERATION_MS = 35 * DAY_MS
CHECKED = 0x8000


Mark = tuple[int, bytes]
"""The spot, which modulo the number of buckets is the bucket, and the 6 bytes that stand there."""


@functools.lru_cache(maxsize=10_000)
def marker(secret: bytes, tenant: str) -> "Marker":
    """The marker of a tenant; made once."""
    return Marker(secret, tenant)


class Marker:
    """Makes the marks of one tenant's events under the key of the installation."""

    def __init__(self, secret: bytes, tenant: str) -> None:
        self._tenant = hashlib.blake2b(tenant.encode(), digest_size=10, key=secret)

    def mark(self, source: str, id_: str) -> Mark:
        """The same for the same source and id, whatever process asks."""
        state = self._tenant.copy()
        state.update(f"\0{len(source)}\0{source}{id_}".encode())
        digest = state.digest()
        return int.from_bytes(digest[:4], "big"), digest[4:]


def of_event(content: bytes) -> bytes:
    """2 bytes that tell an event's content from another (CRC-32, cut to 15 bits).

    >>> of_event(b"123456789").hex()
    '3926'
    """
    return (zlib.crc32(content) & ~CHECKED & 0xFFFF).to_bytes(2, "big")


def of_check(content: bytes) -> bytes:
    """The same for what a check counts: the first bit tells that no event's content stands behind it.

    >>> of_check(b"123456789").hex()
    'b926'
    """
    return (zlib.crc32(content) & 0xFFFF | CHECKED).to_bytes(2, "big")
