"""Slugs: the short names of tenants, in addresses and commands."""

import re
import unicodedata

from veloflux.errors import InputInvalid

LENGTH_MAX = 40
SLUG = re.compile(rf"[a-z0-9][a-z0-9-]{{0,{LENGTH_MAX - 2}}}[a-z0-9]")
PLATFORM_SLUG = "platform"
RESERVED = frozenset({PLATFORM_SLUG, "admin", "api", "console", "new", "operator", "tenants", "veloflux", "www"})


def from_name(name: str) -> str:
    """The slug that a name suggests.

    >>> from_name("Padaria São João Ltda.")
    'padaria-sao-joao-ltda'

    :raises InputInvalid: the name gives none.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LENGTH_MAX].rstrip("-")
    if not SLUG.fullmatch(words) or words in RESERVED:
        raise InputInvalid("No slug can be made from this name; give one yourself", field="slug")
    return words


def check(slug: str) -> str:
    """:raises InputInvalid: it is not a slug, or reserved."""
    if not SLUG.fullmatch(slug):
        raise InputInvalid(
            f"A slug has 2 to {LENGTH_MAX} of a-z, 0-9 and -, and neither begins nor ends with -", field="slug"
        )
    if slug in RESERVED:
        raise InputInvalid(f"The slug {slug!r} is reserved; choose another", field="slug")
    return slug
