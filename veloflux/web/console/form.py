"""What a form of the console sent."""

from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec

from veloflux.errors import InputInvalid

FIELDS_MAX = 50
Wanted = TypeVar("Wanted", bound=msgspec.Struct)


class Form(dict[str, str]):
    """The fields by name; one that was not sent is empty, and the use case says what it misses."""

    def __missing__(self, name: str) -> str:
        return ""


def parse(body: bytes) -> Form:
    """Understand a body of the type application/x-www-form-urlencoded; of a repeated field the last value counts.

    >>> parse(b"name=Padaria+S%C3%A3o+Jo%C3%A3o&slug=")["name"]
    'Padaria São João'

    :raises InputInvalid: not such a body, or not UTF-8.
    """
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX)
    except ValueError:
        raise InputInvalid("This form cannot be read; load the page again and send it from there") from None
    return Form(pairs)


def converted(values: Mapping[str, Any], kind: type[Wanted], otherwise: str = "") -> Wanted:
    """What a use case takes, from the values of a form.

    :raises InputInvalid: one cannot be; its `field` is the value's name, or `otherwise` where the fault names none.
    """
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        fault, _, place = str(error).partition(" - at `$.")
        raise InputInvalid(fault, field=place.rstrip("`").partition("[")[0] or otherwise) from None
