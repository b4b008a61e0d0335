"""A tenant's trail: who changed what."""

from litestar import get

from veloflux import audit, identity
from veloflux.kit import ids
from veloflux.web.console.page import Html, Page


@get("/console/t/{tenant:str}/audit", operation_id="console.audit", permission="audit:read")
async def trail(page: Page, name: str = "", actor: str = "", cursor: str = "") -> Html:
    found = await audit.list_trail(page.ctx, name=name, actor=actor.strip(), cursor=cursor)
    named = {
        text
        for entry in found.items
        for text in (entry.actor, entry.impersonator, *entry.data.values())
        if isinstance(text, str)
    }
    people = {text for text in named if ids.is_id(text, "usr")}
    return page.show(
        "audit.html",
        entries=found.items,
        people=await identity.find_users(page.ctx.db, people),
        names=audit.event_names(),
        action=name,
        actor=actor.strip(),
        cursor=cursor,
        next=found.next,
    )


ROUTES = (trail,)
