"""The mailer of an installation without SMTP: each message is a file `<data>/outbox/<id>.eml`."""

import asyncio
import os
from email.message import EmailMessage
from pathlib import Path

from veloflux.errors import NotFound
from veloflux.kit import ids
from veloflux.settings import Settings


class OutboxFolder:
    """A file appears complete or not at all, and once for an id, however often it is sent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def of(cls, settings: Settings) -> "OutboxFolder":
        return cls(settings.data_dir / "outbox")

    async def send(self, id_: str, message: EmailMessage) -> None:
        """Write the message, unless it is there already.

        :raises OSError: the folder cannot be written.
        """
        await asyncio.to_thread(self._write, self.path(id_), message.as_bytes())

    def path(self, id_: str) -> Path:
        """:raises NotFound: when `id_` is not an id: it never leads out of the folder."""
        if not ids.is_id(id_):
            raise NotFound("There is no such message in the outbox")
        return self.folder / f"{id_}.eml"

    def _write(self, path: Path, content: bytes) -> None:
        if path.exists():
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_suffix(f".{ids.new('part')}")
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
        _sync(self.folder)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
