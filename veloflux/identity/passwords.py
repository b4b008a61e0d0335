"""Passwords: argon2id, in as many threads as the settings allow, never on the event loop.

As NIST SP 800-63B, 3.1.1.2 has it: any Unicode, no rules of composition, normalised (NFKC) before it is hashed so that
it does not matter how a keyboard composes a character, and refused when it is among the common ones. A hash of bcrypt,
as people who were imported have it, is accepted, and replaced when its owner signs in.
"""

import asyncio
import functools
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import bcrypt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from veloflux.errors import InputInvalid, PasswordCommon, Unavailable
from veloflux.settings import Settings

Answer = TypeVar("Answer")
LENGTH_MIN, LENGTH_MAX = 8, 256
MEMORY_KIB, PASSES, LANES = 19_456, 2, 1
"""The OWASP Password Storage Cheat Sheet's first choice for argon2id."""
NOBODYS = f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${'A' * 22}${'A' * 43}"
"""No password has this hash; comparing with it takes as long as with a real one."""
BCRYPT = ("$2a$", "$2b$", "$2y$")
BCRYPT_BYTES = 72
"""All that bcrypt looks at of a password."""
WAIT_S = 3.0
_hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)


def check(password: str) -> None:
    """Refuse what is not acceptable as a new password.

    :raises InputInvalid: it is too short, too long, or not text. :raises PasswordCommon: it is on the list.
    """
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise InputInvalid(f"Choose a password of {LENGTH_MIN} to {LENGTH_MAX} characters", field="password")
    try:
        password.encode()
    except UnicodeEncodeError:
        raise InputInvalid(
            "Choose a password of characters in Unicode; half of a surrogate pair is none", field="password"
        ) from None
    if _folded(password) in _common():
        raise PasswordCommon("This password is one of the first that others try; choose another one", field="password")


async def hashed(settings: Settings, password: str) -> str:
    """The encoded hash of a password, with its salt and parameters.

    :raises Unavailable: too many are being hashed.
    """
    return await _in_thread(settings, lambda: _hasher.hash(_same(password)))


async def matches(settings: Settings, stored: str | None, password: str) -> bool:
    """Whether the password has this hash; as slow when there is none (None: nobody's).

    :raises Unavailable: too many are being hashed.
    """
    fits = _fits_bcrypt if stored and stored.startswith(BCRYPT) else _fits
    return await _in_thread(settings, lambda: fits(stored or NOBODYS, password))


def is_outdated(stored: str) -> bool:
    """Whether a hash is not what `hashed` would make of the same password now."""
    return stored.startswith(BCRYPT) or _hasher.check_needs_rehash(stored)


def _fits(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, _same(password))
    except (VerificationError, InvalidHashError):
        return False


def _fits_bcrypt(stored: str, password: str) -> bool:
    """As it was typed: who made the hash may not have normalised it."""
    try:
        return bcrypt.checkpw(password.encode("utf-8", "surrogatepass")[:BCRYPT_BYTES], stored.encode())
    except ValueError:
        return False


def _same(password: str) -> bytes:
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _folded(password: str) -> str:
    return unicodedata.normalize("NFKC", password).casefold()


@functools.cache
def _common() -> frozenset[str]:
    """The common passwords that are long enough to be chosen; loaded by the first who chooses one."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415

    return frozenset(one for one in FREQUENCY_LISTS["passwords"] if len(one) >= LENGTH_MIN)


async def _in_thread(settings: Settings, work: Callable[[], Answer]) -> Answer:
    """Do it in a thread of its own; whoever waits too long for one is sent away, so that a rush does not pile up."""
    loop, number = asyncio.get_running_loop(), settings.password_hash_threads
    turns = _turns(loop, number)
    try:
        async with asyncio.timeout(WAIT_S):
            await turns.acquire()
    except TimeoutError:
        raise Unavailable("Too many passwords are being checked at this moment; try again shortly") from None
    try:
        return await loop.run_in_executor(_threads(number), work)
    finally:
        turns.release()


@functools.lru_cache(1)
def _turns(_loop: asyncio.AbstractEventLoop, number: int) -> asyncio.Semaphore:
    return asyncio.Semaphore(number)


@functools.cache
def _threads(number: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(number, thread_name_prefix="password")
