"""Routes of the audit trail."""

from typing import Annotated

from litestar import get
from litestar.params import Parameter

from veloflux.audit.trail import Entry, list_trail
from veloflux.context import Context
from veloflux.kit import page
from veloflux.kit.page import Page
from veloflux.tenants.api import TenantPath

Name = Annotated[str, Parameter(max_length=80, description="Only events of this name, like api_key.created")]
Who = Annotated[
    str, Parameter(max_length=120, description="Only what this actor did: a person's or a key's id, cli:<user>")
]
Limit = Annotated[int, Parameter(ge=1, le=page.LIMIT_MAX)]


@get(
    "/api/tenants/{tenant:str}/audit",
    operation_id="audit.list",
    permission="audit:read",
    summary="List who changed what",
    tags=["audit"],
)
async def list_entries(
    ctx: Context,
    tenant: TenantPath,
    *,
    name: Name = "",
    actor: Who = "",
    cursor: str = "",
    limit: Limit = page.LIMIT,
) -> Page[Entry]:
    """Newest first. A filter that fits few entries gives short pages; go on with `next` until it is null."""
    return await list_trail(ctx, name=name, actor=actor, cursor=cursor, limit=limit)


ROUTES = (list_entries,)
