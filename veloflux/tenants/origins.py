"""Web origins, as browsers send them: scheme, host and port, written in one way."""

import re
from collections.abc import Sequence

from veloflux.errors import InputInvalid

ORIGINS_MAX = 20
HOST = r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?)*"
ORIGIN = re.compile(rf"https://{HOST}(?::\d{{1,5}})?|http://(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{{1,5}})?")
USUAL_PORT = re.compile(r"^(https://.+):443$|^(http://.+):80$")


def checked(texts: Sequence[str]) -> tuple[str, ...]:
    """Exact origins: https, or http of the own machine, for those who develop; each once.

    >>> checked(["https://App.Example:443", "http://localhost:5173", "https://app.example"])
    ('https://app.example', 'http://localhost:5173')

    :raises InputInvalid: one is none, or there are more than 20.
    """
    if len(texts) > ORIGINS_MAX:
        raise InputInvalid(f"There are at most {ORIGINS_MAX} origins", field="origins")
    return tuple(dict.fromkeys(map(_checked, texts)))


def _checked(text: str) -> str:
    origin = text.strip().lower()
    if not ORIGIN.fullmatch(origin):
        raise InputInvalid(
            f"{text[:60]!r} is no origin; write https://app.example.com, or http://localhost:5173", field="origins"
        )
    usual = USUAL_PORT.match(origin)
    return usual[1] or usual[2] if usual else origin
