"""Routes of the outbox, for operators."""

from typing import Annotated

from litestar import get
from litestar.params import Parameter

from veloflux.context import Context
from veloflux.kit import page
from veloflux.kit.page import Page
from veloflux.notifications.outbox import OutboxMessage, list_messages, read_message

Limit = Annotated[int, Parameter(ge=1, le=page.LIMIT_MAX)]


@get(
    "/api/outbox",
    operation_id="outbox.list",
    platform="outbox:read",
    summary="List the messages written",
    tags=["outbox"],
)
async def list_outbox(ctx: Context, cursor: str = "", limit: Limit = page.LIMIT) -> Page[OutboxMessage]:
    return await list_messages(ctx, cursor, limit)


@get(
    "/api/outbox/{message:str}",
    operation_id="outbox.show",
    platform="outbox:read",
    summary="Show a message",
    tags=["outbox"],
)
async def show_message(ctx: Context, message: str) -> OutboxMessage:
    return await read_message(ctx, message)


ROUTES = (list_outbox, show_message)
