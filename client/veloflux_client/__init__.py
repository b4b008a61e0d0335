"""Record usage, check limits and reserve quota with VeloFlux.

`VeloFlux` is for threads, `AsyncVeloFlux` for asyncio; both have the same methods. Beside them stand the middleware for
ASGI (`LimitMiddleware`, with `Ask`), what they answer (`Decision`, `Rejected`) and what they raise.
"""

from veloflux_client.asynchronous import AsyncVeloFlux
from veloflux_client.errors import BufferFull, NotAllowed, NotDelivered, RequestRefused, Unavailable, VeloFluxError
from veloflux_client.middleware import Ask, LimitMiddleware
from veloflux_client.model import Decision, Rate, Rejected
from veloflux_client.synchronous import VeloFlux

__all__ = [
    "Ask",
    "AsyncVeloFlux",
    "BufferFull",
    "Decision",
    "LimitMiddleware",
    "NotAllowed",
    "NotDelivered",
    "Rate",
    "Rejected",
    "RequestRefused",
    "Unavailable",
    "VeloFlux",
    "VeloFluxError",
]
