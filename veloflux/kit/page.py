"""Cursor pagination: a page of items and the opaque text that asks for the next one."""

import base64
import binascii
from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

from veloflux.errors import CursorInvalid

Item = TypeVar("Item")
LIMIT = 50
LIMIT_MAX = 500


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
        raise CursorInvalid("This cursor is not one that an earlier page gave") from None
