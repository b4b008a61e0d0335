"""Links in e-mails to people: what their tokens are.

The token `<person>.<subject>.<mac>` is derived from two ids under the installation's secret, so that the job that
writes the e-mail can make it and nothing secret is stored. That it works once, and for a time, is up to the document
of the subject, which lies with the person.
"""

import re
from typing import Literal

from veloflux.context import Secrets
from veloflux.errors import LinkExpired
from veloflux.kit import crypto, ids

Purpose = Literal["verify", "reset", "prove", "approve"]
PREFIXES: dict[Purpose, str] = {"verify": "reg", "reset": "lnk", "prove": "emc", "approve": "emc"}
MAC_DIGITS = 40
TOKEN = re.compile(r"([0-9a-z]{26})\.([0-9a-z]{26})\.([0-9a-f]{40})")


def token_of(secrets: Secrets, purpose: Purpose, user: str, subject: str) -> str:
    """The token of a link; always the same."""
    return f"{ids.bare(user)}.{ids.bare(subject)}.{_mac(secrets, purpose, user, subject)}"


def parse(secrets: Secrets, purpose: Purpose, token: str) -> tuple[str, str]:
    """Ids of the person and the subject that a token was made for.

    :raises LinkExpired: we made no such token.
    """
    parsed = TOKEN.fullmatch(token)
    if parsed is None:
        raise over()
    user, subject = f"usr_{parsed[1]}", f"{PREFIXES[purpose]}_{parsed[2]}"
    if not crypto.equal(_mac(secrets, purpose, user, subject), parsed[3]):
        raise over()
    return user, subject


def over() -> LinkExpired:
    return LinkExpired("This link is not valid (any more); ask for a new one")


def _mac(secrets: Secrets, purpose: Purpose, user: str, subject: str) -> str:
    return crypto.derive(secrets.of("link", purpose), user, subject).hex()[:MAC_DIGITS]
