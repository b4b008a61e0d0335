"""What the routes served without the framework get of a request, and how they read its body."""

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from veloflux.errors import InputInvalid

Body = TypeVar("Body")


class Received(msgspec.Struct, frozen=True, gc=False):
    """`token` is the bearer token or ""; `query` is the query string; `address` is the client's; `origin` is the page's
    that asks, or "", `elsewhere` the same if it is another one than this server's; `headers` have their names in lower
    case; `path` is the route's, as asked; `state` takes the `standing` whose fields the answer has."""

    token: str
    body: bytes
    query: bytes
    address: str
    origin: str = ""
    elsewhere: str = ""
    headers: Iterable[tuple[bytes, bytes]] = ()
    path: str = ""
    state: dict[str, Any] = {}

    def header(self, name: str) -> str:
        """A header's value; "" when there is none.

        >>> Received("", b"", b"", "", headers=[(b"accept", b"text/html")]).header("accept")
        'text/html'
        """
        wanted = name.encode()
        return next((value.decode("latin-1") for key, value in self.headers if key == wanted), "")


def parsed(decoder: "msgspec.json.Decoder[Body]", body: bytes | msgspec.Raw) -> Body:
    """A JSON body.

    >>> parsed(msgspec.json.Decoder(dict[str, int]), b'{"a": 1}')
    {'a': 1}

    :raises InputInvalid: not JSON, or not of this form; `errors` names the field.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _misshapen(*str(error).split(" - at `$", 1)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputInvalid(f"The body is not JSON: {error}") from None


def _misshapen(fault: str, place: str = "") -> InputInvalid:
    field = place.rstrip("`").lstrip(".") or "body"
    return InputInvalid(f"{field}: {fault}", errors=[{"field": field, "message": fault}])


def inlined_schema(kind: object) -> dict[str, object]:
    """The JSON schema of a type, without references, as an OpenAPI document can hold it.

    >>> inlined_schema(list[int])
    {'type': 'array', 'items': {'type': 'integer'}}
    """
    schema = msgspec.json.schema(kind)
    definitions = schema.pop("$defs", {})

    def inline(part: object) -> object:
        if isinstance(part, dict):
            if "$ref" in part:
                return inline(definitions[part["$ref"].rpartition("/")[2]])
            return {name: inline(value) for name, value in part.items()}
        return [inline(item) for item in part] if isinstance(part, list) else part

    result = inline(schema)
    assert isinstance(result, dict)
    return result
