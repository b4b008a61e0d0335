"""How the body of an API route is read: strictly, and with the same errors as on the routes served beside Litestar."""

from functools import lru_cache
from typing import Any

import msgspec
from litestar import Request

from veloflux.kit.http import parsed


class JsonRequest(Request[Any, Any, Any]):
    """A request whose JSON body is decoded into the type that its route asks for."""

    async def json(self) -> Any:
        """:raises InputInvalid: the body is not JSON, or not of this type."""
        asked = self.route_handler.parsed_data_field
        return parsed(_decoder(asked.annotation if asked else Any), await self.body())


@lru_cache(maxsize=256)
def _decoder(kind: Any) -> "msgspec.json.Decoder[Any]":
    return msgspec.json.Decoder(kind)
