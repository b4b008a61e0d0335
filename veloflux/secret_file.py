"""The installation's secret: from the settings, or made once and kept in `<data_dir>/secret`.

Every digest of an e-mail, derived token and wrapped data key hangs on it: back it up with the data.
"""

import base64
import binascii
import os
import secrets

from veloflux.errors import StartRefused
from veloflux.settings import Settings

BYTES = 32


def installation_secret(settings: Settings) -> bytes:
    """At least 32 bytes.

    :raises StartRefused: the setting is too short, or the file cannot be read or written.
    """
    if settings.secret:
        return _decoded(settings.secret, "VELOFLUX_SECRET")
    path = settings.data_dir / "secret"
    try:
        if not path.exists():
            _create(settings)
        return _decoded(path.read_text("ascii").strip(), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise StartRefused(f"The installation's secret {path} cannot be used: {error}") from None


def _create(settings: Settings) -> None:
    """Written beside its place and linked into it, so that of two processes one wins and none sees half a secret."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = settings.data_dir / f"secret.{os.getpid()}"
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(base64.urlsafe_b64encode(secrets.token_bytes(BYTES)).decode())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(part, settings.data_dir / "secret")
    except FileExistsError:
        pass
    finally:
        part.unlink()


def _decoded(text: str, where: str) -> bytes:
    try:
        secret = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) < BYTES:
        raise StartRefused(f"{where} must hold at least {BYTES} bytes in base64url")
    return secret
