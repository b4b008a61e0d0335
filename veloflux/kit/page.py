"""Cursor pagination: a page of items and the opaque text that asks for the next one."""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

from veloflux.errors import CursorInvalid

Item = TypeVar("Item")
LIMIT = 50
LIMIT_MAX = 500
NUMBER = re.compile("[0-9]{1,15}")


class Page(msgspec.Struct, Generic[Item], frozen=True):
    """`next` is None on the last page."""

    items: Sequence[Item]
    next: str | None = None


def encode(position: str) -> str:
    """Make a place in a list into a cursor.

    >>> decode(encode("1700000000000-0"))
    '1700000000000-0'
    """
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")


def decode(cursor: str) -> str:
    """:raises CursorInvalid: when the text is not one of ours."""
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise _not_ours() from None


def decode_number(cursor: str) -> int:
    """How many items the earlier pages had; 0 without a cursor.

    >>> decode_number(encode("50")), decode_number("")
    (50, 0)

    :raises CursorInvalid: when the text is not one of ours.
    """
    position = decode(cursor) if cursor else "0"
    if not NUMBER.fullmatch(position):
        raise _not_ours()
    return int(position)


def _not_ours() -> CursorInvalid:
    return CursorInvalid("This cursor is not one that an earlier page gave")
