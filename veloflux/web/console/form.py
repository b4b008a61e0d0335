"""What a form of the console sent."""

from urllib.parse import parse_qsl

from veloflux.errors import InputInvalid

FIELDS_MAX = 50


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
