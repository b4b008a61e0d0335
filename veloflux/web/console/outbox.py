"""Messages that were written to people."""

from litestar import get

from veloflux import notifications
from veloflux.notifications import OutboxFolder
from veloflux.web.console.page import Html, Page


@get("/console/outbox", operation_id="console.outbox", platform="outbox:read")
async def list_messages(page: Page, cursor: str = "") -> Html:
    found = await notifications.list_messages(page.ctx, cursor)
    folder = OutboxFolder.of(page.ctx.settings).folder
    return page.show("outbox.html", messages=found.items, folder=str(folder), next=found.next)


ROUTES = (list_messages,)
