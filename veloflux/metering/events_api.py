"""Routes of the events as they came: a list, and a stream of those that arrive."""

from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from litestar import get
from litestar.params import HeaderParameter, Parameter, QueryParameter
from litestar.response import Stream

from veloflux.context import Context
from veloflux.kit import page
from veloflux.kit.page import Page
from veloflux.metering.raw_events import Filter, Outcome, RawEvent, follow, list_raw_events
from veloflux.tenants.api import TenantPath

LIVE_S = 60
LIVE = "/api/tenants/{tenant}/events/live"
CONTENT = {"text/event-stream": {"schema": {"type": "string"}}}
RECONNECT_MS = 1_000
QUIET_MAX = 60
Type = Annotated[str, QueryParameter(name="type", max_length=200, description="Only events of this type")]
Became = Annotated[Outcome | None, QueryParameter(name="outcome", description="Only those of which this became")]
Id = Annotated[str, QueryParameter(name="id", max_length=200, description="Only the event with this id")]
Limit = Annotated[int, Parameter(ge=1, le=page.LIMIT_MAX)]
Seconds = Annotated[int, Parameter(ge=0, le=LIVE_S, description="How long; 0: what there is after the cursor")]
LastEventId = Annotated[
    str, HeaderParameter(name="Last-Event-ID", max_length=64, description="Sent by browsers that connect again")
]


@get(
    "/api/tenants/{tenant:str}/events",
    operation_id="events.list",
    permission="usage:read",
    summary="List the newest events as they came",
    tags=["usage"],
)
async def list_events(
    ctx: Context,
    tenant: TenantPath,
    *,
    type_: Type = "",
    outcome: Became = None,
    id_: Id = "",
    cursor: str = "",
    limit: Limit = page.LIMIT,
) -> Page[RawEvent]:
    """Newest first, accepted, duplicate and rejected ones, for some hours; of large requests some. For looking, not for
    counting. A filter that fits few gives short pages; go on with `next` until it is null.
    """
    return await list_raw_events(ctx, Filter(type_, outcome or "", id_), cursor, limit)


@get(
    LIVE.replace("{tenant}", "{tenant:str}"),
    operation_id="events.live",
    permission="usage:read",
    summary="Watch events as they come",
    tags=["usage"],
)
async def live(
    ctx: Context,
    tenant: TenantPath,
    *,
    type_: Type = "",
    outcome: Became = None,
    id_: Id = "",
    cursor: str = "",
    seconds: Seconds = LIVE_S,
    last_event_id: LastEventId = "",
) -> Stream:
    """Server-sent events: `data` is an event as the list has it, `id` the cursor after it. It ends after a minute, so
    that it is asked again who may watch; browsers connect by themselves and go on where they were.
    """
    arriving = await follow(ctx, Filter(type_, outcome or "", id_), last_event_id or cursor, seconds)
    return Stream(_sent(arriving), media_type="text/event-stream", headers={"x-accel-buffering": "no"})


async def _sent(arriving: AsyncIterator[list[RawEvent]]) -> AsyncIterator[bytes]:
    """What a browser's EventSource reads; a comment now and then tells that the other side is still there."""
    yield b"retry: %d\n\n" % RECONNECT_MS
    quiet = 0
    async for events in arriving:
        quiet = 0 if events else quiet + 1
        if events:
            yield b"".join([_message(event) for event in events])
        elif quiet % QUIET_MAX == 0:
            yield b":\n\n"


def _message(event: RawEvent) -> bytes:
    return b"id: %s\ndata: %s\n\n" % (page.encode(event.entry).encode(), msgspec.json.encode(event))


ROUTES = (list_events, live)
