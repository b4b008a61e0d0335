"""Texts that people type for other people to read."""

import unicodedata

from veloflux.errors import InputInvalid

JOINERS = {"\u200c", "\u200d"}
"""Invisible, but Persian, Hindi and some emoji are not written without them."""


def one_line(text: str, what: str, most: int, field: str = "name") -> str:
    """The text without superfluous blanks. `what` names it in the error, `field` the input that it came from.

    >>> one_line(" Padaria\\u00a0 São João ", "A name", 120)
    'Padaria São João'

    :raises InputInvalid: empty, longer than `most` characters, or with characters that do not show.
    """
    text = " ".join(text.split())
    if not 1 <= len(text) <= most or not all(_shows(character) for character in text):
        raise InputInvalid(f"{what} has 1 to {most} characters that can be shown", field=field)
    return text


def folded(text: str) -> str:
    """The text as it is searched for: without case and accents.

    >>> folded(" Conceição\u00a0 STRAßE ")
    'conceicao strasse'
    """
    plain = unicodedata.normalize("NFKD", " ".join(text.split()).casefold())
    return "".join(character for character in plain if not unicodedata.combining(character)).casefold()


def _shows(character: str) -> bool:
    return character in JOINERS or unicodedata.category(character)[0] not in "C"
