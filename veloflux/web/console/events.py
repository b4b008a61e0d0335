"""A tenant's newest events as they came, and what became of each."""

from typing import Annotated

import msgspec
from litestar import get
from litestar.params import QueryParameter

from veloflux import metering
from veloflux.metering import OUTCOMES, Filter
from veloflux.web.console.page import Html, Page

Type = Annotated[str, QueryParameter(name="type")]
Id = Annotated[str, QueryParameter(name="id")]


@get("/console/t/{tenant:str}/events", operation_id="console.events", permission="usage:read")
async def events(page: Page, type_: Type = "", id_: Id = "", outcome: str = "", cursor: str = "") -> Html:
    wanted = Filter(type_.strip(), outcome if outcome in OUTCOMES else "", id_.strip())
    found = await metering.list_raw_events(page.ctx, wanted, cursor)
    return page.show(
        "events.html",
        events=found.items,
        written={event.entry: written(event.data) for event in found.items},
        outcomes=OUTCOMES,
        wanted=wanted,
        cursor=cursor,
        next=found.next,
        kept=page.ctx.settings.raw_events,
        hours=page.ctx.settings.raw_events_hours,
    )


def written(data: str) -> str:
    """JSON with a line for each member; what is none, as it is.

    >>> written('{"bytes":512}')
    '{\\n  "bytes": 512\\n}'
    """
    try:
        return msgspec.json.format(data)
    except msgspec.DecodeError:
        return data


ROUTES = (events,)
