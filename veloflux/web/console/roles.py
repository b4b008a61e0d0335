"""Who may do what in a tenant: each permission with what it opens, by role; and the tenant's own roles."""

from litestar import get, post

from veloflux import tenants
from veloflux.tenants import PERMISSIONS
from veloflux.web import matrix
from veloflux.web.console.api_keys import TICKED
from veloflux.web.console.form import Form
from veloflux.web.console.page import Html, Page


@get("/console/t/{tenant:str}/roles", operation_id="console.roles", permission="members:read")
async def roles(page: Page) -> Html:
    return await _show(page)


@post("/console/t/{tenant:str}/roles", operation_id="console.roles.create", permission="roles:write")
async def create_role(page: Page) -> Html:
    with page.keeping_form():
        form = page.form
        await tenants.create_role(page.ctx, form["name"].strip(), _ticked(form), form["description"])
        return page.go(f"{page.home}/roles", done="roles.create")
    return await _show(page)


@post("/console/t/{tenant:str}/roles/{role:str}", operation_id="console.roles.change", permission="roles:write")
async def change_role(page: Page, role: str) -> Html:
    with page.keeping_form():
        await tenants.change_role(page.ctx, role, _ticked(page.form), page.form["description"])
        return page.go(f"{page.home}/roles", done="roles.change")
    return await _show(page)


@post("/console/t/{tenant:str}/roles/{role:str}/delete", operation_id="console.roles.delete", permission="roles:write")
async def delete_role(page: Page, role: str) -> Html:
    with page.keeping_form():
        await tenants.delete_role(page.ctx, role)
        return page.go(f"{page.home}/roles", done="roles.delete")
    return await _show(page)


async def _show(page: Page) -> Html:
    return page.show(
        "roles.html",
        at=f"{page.home}/roles",
        roles=await tenants.list_roles(page.ctx),
        permissions=list(PERMISSIONS),
        opened=matrix.opened(page.rules()),
        grantable=[one for one in PERMISSIONS if one in page.ctx.permissions & tenants.OWNERS],
    )


def _ticked(form: Form) -> list[str]:
    return [name.removeprefix(TICKED) for name in form if name.startswith(TICKED)]


ROUTES = (roles, create_role, change_role, delete_role)
