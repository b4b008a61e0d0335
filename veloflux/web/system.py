"""Routes for those who run VeloFlux: is it alive, is it ready, what does it measure, what does its API look like."""

from typing import Any

import msgspec
from litestar import Request, Response, get

from veloflux.context import Parts
from veloflux.db import workers
from veloflux.errors import NotFound, Unavailable
from veloflux.kit import clock
from veloflux.web import counts, metrics, openapi

WORKER_SEEN_WITHIN_MS = 20_000


class Readiness(msgspec.Struct, frozen=True):
    """`redis` and `worker` are `ok`, or say what is missing."""

    redis: str
    worker: str

    @property
    def status(self) -> int:
        return 200 if self.redis == self.worker == "ok" else 503


@get("/healthz", include_in_schema=False)
async def healthz() -> dict[str, str]:
    """The process lives."""
    return {"status": "ok"}


@get("/readyz", include_in_schema=False)
async def readyz(request: Request[Any, Any, Any]) -> Response[Readiness]:
    """Redis is reached and loaded, and a worker was seen lately."""
    readiness = await _readiness(request.app.state.parts)
    return Response(readiness, status_code=readiness.status)


@get("/metrics", include_in_schema=False)
async def read_metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Prometheus' text format; for loopback, or with the token `VELOFLUX_METRICS_TOKEN`."""
    chosen = request.app.state.settings
    authorization = request.headers.get("authorization", "")
    if not metrics.may_read(request.scope["state"]["address"], authorization, chosen.metrics_token):
        raise NotFound("There is nothing here for this address; see VELOFLUX_METRICS_TOKEN")
    body, media_type = await metrics.text(request.app.state.parts.db, counts.folder_of(chosen.data_dir))
    return Response(body, headers={"content-type": media_type})


@get("/api/schema", include_in_schema=False)
async def schema(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """The OpenAPI document of everything that this server answers."""
    return openapi.document(request.app)


async def _readiness(parts: Parts) -> Readiness:
    try:
        seen = await workers.last_seen(parts.db)
    except Unavailable as error:
        return Readiness(str(error), "unknown")
    if seen is None or clock.now_ms() - seen > WORKER_SEEN_WITHIN_MS:
        return Readiness("ok", "no worker was seen lately; start `veloflux worker`")
    return Readiness("ok", "ok")


ROUTES = (healthz, readyz, read_metrics, schema)
