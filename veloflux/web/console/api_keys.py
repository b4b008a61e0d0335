"""A tenant's API keys; a new one is shown in the answer to its form, once."""

from litestar import get, post

from veloflux import tenants
from veloflux.kit.page import LIMIT_MAX
from veloflux.web.console.members import grantable
from veloflux.web.console.page import Html, Page


@get("/console/t/{tenant:str}/api-keys", operation_id="console.api_keys", permission="api_keys:read")
async def api_keys(page: Page) -> Html:
    return await _show(page)


@post("/console/t/{tenant:str}/api-keys", operation_id="console.api_keys.create", permission="api_keys:write")
async def create_api_key(page: Page) -> Html:
    with page.keeping_form():
        new = await tenants.create_api_key(page.ctx, page.form["name"], page.form["role"])
        return page.show("api_key_created.html", at=_here(page), new=new)
    return await _show(page)


@post(
    "/console/t/{tenant:str}/api-keys/{key:str}/revoke",
    operation_id="console.api_keys.revoke",
    permission="api_keys:write",
)
async def revoke_api_key(page: Page, key: str) -> Html:
    with page.keeping_form():
        await tenants.revoke_api_key(page.ctx, key)
        return page.go(_here(page), done="api_keys.revoke")
    return await _show(page)


async def _show(page: Page) -> Html:
    found = await tenants.list_api_keys(page.ctx, limit=LIMIT_MAX)
    return page.show("api_keys.html", at=_here(page), keys=found.items, roles=grantable(page))


def _here(page: Page) -> str:
    return f"{page.home}/api-keys"


ROUTES = (api_keys, create_api_key, revoke_api_key)
