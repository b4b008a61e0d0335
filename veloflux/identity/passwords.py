"""Passwords: argon2id, in as many threads as the settings allow, never on the event loop."""

import asyncio
import functools
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from veloflux.errors import InputInvalid
from veloflux.settings import Settings

Answer = TypeVar("Answer")
LENGTH_MIN, LENGTH_MAX = 8, 256
MEMORY_KIB, PASSES, LANES = 19_456, 2, 1
"""The OWASP Password Storage Cheat Sheet's first choice for argon2id."""
NOBODYS = f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${'A' * 22}${'A' * 43}"
"""No password has this hash; comparing with it takes as long as with a real one."""
_hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)


def check(password: str) -> None:
    """:raises InputInvalid: when it is too short, too long, or not text."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise InputInvalid(f"Choose a password of {LENGTH_MIN} to {LENGTH_MAX} characters", field="password")
    try:
        password.encode()
    except UnicodeEncodeError:
        raise InputInvalid(
            "Choose a password of characters in Unicode; half of a surrogate pair is none", field="password"
        ) from None


async def hashed(settings: Settings, password: str) -> str:
    """The encoded hash of a password, with its salt and parameters."""
    return await _in_thread(settings, lambda: _hasher.hash(_same(password)))


async def matches(settings: Settings, stored: str | None, password: str) -> bool:
    """Whether the password has this hash; as slow when there is none (None: nobody's)."""

    def verified() -> bool:
        try:
            return _hasher.verify(stored or NOBODYS, _same(password))
        except (VerificationError, InvalidHashError):
            return False

    return await _in_thread(settings, verified)


def _same(password: str) -> bytes:
    """However a keyboard composes its characters (NIST SP 800-63B, 3.1.1.2: NFKC)."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


async def _in_thread(settings: Settings, work: Callable[[], Answer]) -> Answer:
    return await asyncio.get_running_loop().run_in_executor(_threads(settings.password_hash_threads), work)


@functools.cache
def _threads(number: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(number, thread_name_prefix="password")
