"""A key per person for the personal data beside immutable records: who destroys the key erases the data.

A subject is a person or an invitation; its key lies in its owner's slot, wrapped with the installation's secret.
"""

import asyncio
import base64
import secrets
from collections import OrderedDict

from veloflux.db import keys
from veloflux.db.client import Db
from veloflux.kit import clock, crypto

CACHED = 10_000
CACHED_S = 60.0


def owner_of(subject: str, owner: str) -> str:
    """A person's key lies with the person, every other subject's with the owner of the record."""
    return subject if subject.startswith("usr_") else owner


class DataKeys:
    """Reads keys, and remembers them for a minute: so long may an erased person's key still seal, and lie in the memory
    of a process. Nothing is read with a remembered one."""

    def __init__(self, db: Db, wrapping_key: bytes) -> None:
        self._db = db
        self._wrapping_key = wrapping_key
        self._known: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def new(self) -> tuple[bytes, str]:
        """A fresh key, plain and wrapped."""
        key = secrets.token_bytes(32)
        return key, crypto.seal(self._wrapping_key, base64.b64encode(key).decode())

    async def get(self, owner: str, subject: str) -> bytes | None:
        """The key of a subject, to seal with, or None when there is none (any more)."""
        until, key = self._known.get(subject, (0.0, b""))
        return key if until > clock.monotonic() else await self.current(owner, subject)

    async def current(self, owner: str, subject: str) -> bytes | None:
        """As `get`, but never from memory: what was erased is not shown a moment longer."""
        wrapped = await self._db.call("GET", keys.data_key(owner_of(subject, owner), subject))
        text = crypto.unseal(self._wrapping_key, wrapped) if wrapped else None
        if text is None:
            return None
        return self._remember(subject, base64.b64decode(text))

    def _remember(self, subject: str, key: bytes) -> bytes:
        self._known[subject] = (clock.monotonic() + CACHED_S, key)
        asyncio.get_running_loop().call_later(CACHED_S + 1, self._forget, subject)
        while len(self._known) > CACHED:
            self._known.popitem(last=False)
        return key

    def _forget(self, subject: str) -> None:
        """Also in a process that asks for no key any more."""
        if subject in self._known and self._known[subject][0] <= clock.monotonic():
            del self._known[subject]
