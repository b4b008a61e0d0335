"""An ASGI application that answers each customer as often as the customer's plan allows."""

import os
from typing import Any

from veloflux_client import Ask, AsyncVeloFlux, LimitMiddleware


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"hello\n"})


def ask(scope: Any) -> Ask:
    key = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1").removeprefix("Bearer ")
    return Ask(meter="requests", api_key=key, on_failure="open", event="http.request", data={"bytes": 6})


client = AsyncVeloFlux(os.environ["VELOFLUX_URL"], os.environ["VELOFLUX_API_KEY"])
app = LimitMiddleware(hello, client, ask)
