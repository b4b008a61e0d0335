"""Secrets: random tokens kept as digests, tokens derived from an id, texts sealed under a key of their own.

Sealing is AES-256-GCM with a random 96-bit nonce (NIST SP 800-38D); derived keys are HMAC-SHA256 of a purpose under the
installation's secret, so that no two purposes share a key.
"""

import base64
import binascii
import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12


def new_secret() -> str:
    """160 random bits in 32 characters of lower-case base32, without `_`: safe inside a token."""
    return base64.b32encode(secrets.token_bytes(20)).decode().lower()


def digest(secret: str) -> str:
    """SHA-256 in hex: what is stored of a random secret. Not for passwords."""
    return hashlib.sha256(secret.encode()).hexdigest()


def equal(left: str, right: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())


def derive(secret: bytes, *purpose: str) -> bytes:
    """A 32-byte key for one purpose under the installation's secret."""
    return hmac.digest(secret, "\0".join(purpose).encode(), "sha256")


def seal(key: bytes, text: str) -> str:
    """Encrypt `text` under a 32-byte key; the result is base64url and differs every time."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return base64.urlsafe_b64encode(nonce + AESGCM(key).encrypt(nonce, text.encode(), None)).decode()


def unseal(key: bytes, sealed: str) -> str | None:
    """The text that `seal` hid, or None when the key is another or the text was changed.

    >>> unseal(bytes(32), seal(bytes(32), "Rua Augusta 1"))
    'Rua Augusta 1'
    """
    try:
        raw = base64.urlsafe_b64decode(sealed)
        return AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], None).decode()
    except (InvalidTag, binascii.Error, ValueError):
        return None
