"""Identifiers: a type prefix and 26 characters, time-ordered, random, in an alphabet without `_`.

The first 10 characters are the epoch milliseconds (48 bits), the other 16 are random (80 bits), in Crockford's base 32
in lower case: sorting ids of one type sorts them by the time they were made.
"""

import functools
import hashlib
import os
import re

from veloflux.kit import clock

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
ID = re.compile(r"(?:[a-z]{2,4}_)?[0-9a-z]{1,40}")
_FIVE_BITS = bytes(ord(ALPHABET[byte & 31]) for byte in range(256))


def new(prefix: str) -> str:
    """A fresh id such as `ten_01jd8x3k2m0000000000000000`. `prefix` is two to four letters."""
    return f"{prefix}_{_time(clock.now_ms())}{os.urandom(16).translate(_FIVE_BITS).decode()}"


def derived(prefix: str, *parts: str) -> str:
    """An id that is the same for the same parts: what must come into being once takes its id from its cause.

    >>> derived("job", "evt_1", "email") == derived("job", "evt_1", "email")
    True
    """
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return f"{prefix}_{digest[:26].translate(_FIVE_BITS).decode()}"


def bare(identifier: str) -> str:
    """Without the type prefix, as ids stand in tokens.

    >>> bare("ten_0x7")
    '0x7'
    """
    return identifier.rpartition("_")[2]


def is_id(text: str, prefix: str = "") -> bool:
    """Whether `text` has the form of an id, of the type `prefix` if one is given.

    >>> is_id("ten_0x7", "ten"), is_id("semicomplete", "ten"), is_id("ten_0}")
    (True, False, False)
    """
    return bool(ID.fullmatch(text)) and (not prefix or text.startswith(prefix + "_"))


def base32(number: int, width: int) -> str:
    """The lowest `5 * width` bits of `number`, most significant first.

    >>> base32(33, 3)
    '011'
    """
    return "".join([ALPHABET[number >> shift & 31] for shift in range(5 * width - 5, -1, -5)])


@functools.lru_cache(16)
def _time(now: int) -> str:
    return base32(now, 10)
