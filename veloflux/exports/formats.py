"""Rows as CSV (RFC 4180) or as one JSON document. Pure."""

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Literal

import msgspec

Format = Literal["csv", "json"]
FORMATS: dict[Format, str] = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class UsageRow(msgspec.Struct, frozen=True):
    """`date` is a day of the tenant's zone."""

    tenant: str
    meter: str
    date: str
    value: int | Decimal


async def encoded(
    rows: AsyncIterator[msgspec.Struct], kind: type[msgspec.Struct], form: Format
) -> AsyncIterator[bytes]:
    """The document of rows of a kind, whose fields are the columns, in pieces as they come."""
    if form == "csv":
        yield csv_line(kind.__struct_fields__)
        async for row in rows:
            yield csv_line(msgspec.structs.astuple(row))
        return
    separator = b"[\n"
    async for row in rows:
        yield separator + msgspec.json.encode(row)
        separator = b",\n"
    yield b"[]\n" if separator == b"[\n" else b"\n]\n"


def csv_line(cells: Sequence[object]) -> bytes:
    r"""One record: numbers as they are, texts quoted where they must be.

    >>> csv_line(["acme", 'a "b", c', -5])
    b'acme,"a ""b"", c",-5\r\n'
    """
    return (",".join(_text(cell) if isinstance(cell, str) else str(cell) for cell in cells) + "\r\n").encode()


def _text(cell: str) -> str:
    # A spreadsheet takes a text that begins so for a formula and runs it; the apostrophe makes it a text (OWASP).
    guarded = f"'{cell}" if cell.startswith(FORMULA) else cell
    return '"' + guarded.replace('"', '""') + '"' if any(c in guarded for c in ',"\r\n') else guarded
