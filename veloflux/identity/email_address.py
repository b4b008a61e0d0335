"""E-mail addresses: which text is one, and when two are the same."""

import re
import unicodedata

import idna
import msgspec

from veloflux.errors import InputInvalid

LENGTH_MAX = 254
LOCAL_BYTES_MAX = 64
# RFC 5321's atoms with RFC 6531's letters: nothing that needs quoting.
ATOM = r"""[^\s<>()\[\]\\,;:"@.]+"""
LOCAL = re.compile(rf"{ATOM}(?:\.{ATOM})*")


class EmailAddress(msgspec.Struct, frozen=True):
    """`text` is what mail is sent to, `same` what all spellings of one address have in common."""

    text: str
    same: str


def parse(text: str) -> EmailAddress:
    """Understand an address as a person typed it.

    Spellings that differ in case, in compatibility forms (Unicode NFKC) or in the encoding of the domain (IDNA 2008,
    UTS 46) are one address.

    >>> parse(" Ana@Exämple.com").same, parse("ana@XN--EXMPLE-CUA.com").same
    ('ana@xn--exmple-cua.com', 'ana@xn--exmple-cua.com')

    :raises InputInvalid: it is not one.
    """
    text = unicodedata.normalize("NFKC", text).strip()
    local, _, domain = text.rpartition("@")
    if len(text) > LENGTH_MAX or not LOCAL.fullmatch(local) or not _shows(local):
        raise _invalid()
    try:
        ascii_domain = idna.encode(domain.casefold(), uts46=True, std3_rules=True).decode()
    except (idna.IDNAError, UnicodeError):
        raise _invalid() from None
    same = unicodedata.normalize("NFKC", local.casefold())
    return EmailAddress(f"{local}@{ascii_domain}", f"{same}@{ascii_domain}")


def _shows(local: str) -> bool:
    """Short enough, and without control characters, invisible ones, and halves of surrogate pairs."""
    is_shown = not any(unicodedata.category(character)[0] == "C" for character in local)
    return is_shown and len(local.encode()) <= LOCAL_BYTES_MAX


def _invalid() -> InputInvalid:
    return InputInvalid("This is not an e-mail address; write it like ana@example.com", field="email")
