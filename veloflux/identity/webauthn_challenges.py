"""Challenges for passkeys: 32 bytes that say when, for what and for whom, under the installation's secret.

Nothing is stored of one before it is answered, so that asking for many costs nothing; an answer is marked with the
person, and none comes twice.
"""

import secrets

from veloflux.context import Secrets
from veloflux.kit import clock, crypto, ids

LIFE_MS = 5 * clock.MINUTE_MS
TIME_BYTES, RANDOM_BYTES, MAC_BYTES = 6, 10, 16


def make(keys: Secrets, purpose: str, subject: str) -> bytes:
    """A fresh challenge. `purpose`: create, or get; `subject`: a session, a sign-in that waits, or "" for anybody."""
    made = clock.now_ms().to_bytes(TIME_BYTES) + secrets.token_bytes(RANDOM_BYTES)
    return made + _mac(keys, purpose, subject, made)


def is_ours(keys: Secrets, purpose: str, subject: str, challenge: bytes) -> bool:
    """Whether it was made for this, within the last five minutes."""
    made, mac = challenge[:-MAC_BYTES], challenge[-MAC_BYTES:]
    at = int.from_bytes(made[:TIME_BYTES])
    is_young = 0 <= clock.now_ms() - at < LIFE_MS
    return crypto.equal(mac.hex(), _mac(keys, purpose, subject, made).hex()) and is_young


def id_of(challenge: bytes) -> str:
    """What its answer is marked by."""
    return ids.derived("pch", challenge.hex())


def _mac(keys: Secrets, purpose: str, subject: str, made: bytes) -> bytes:
    return crypto.derive(keys.of("passkey", purpose), subject, made.hex())[:MAC_BYTES]
