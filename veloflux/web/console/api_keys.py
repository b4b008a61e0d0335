"""A tenant's API keys; a new one is shown in the answer to its form, once."""

from litestar import get, post

from veloflux import tenants
from veloflux.kit import clock
from veloflux.kit.page import LIMIT_MAX
from veloflux.tenants import KeyTerms
from veloflux.tenants.model import KeyKind
from veloflux.web.console.form import Form
from veloflux.web.console.members import grantable
from veloflux.web.console.page import Html, Page

TICKED = "permission:"
LIVES = ("30", "90", "365")
OVERLAPS = ("1", "24", "168")
"""Days of a new key and hours of overlap that the forms offer; any number can be given by HTTP and at the terminal."""


@get("/console/t/{tenant:str}/api-keys", operation_id="console.api_keys", permission="api_keys:read")
async def api_keys(page: Page) -> Html:
    return await _show(page)


@post("/console/t/{tenant:str}/api-keys", operation_id="console.api_keys.create", permission="api_keys:write")
async def create_api_key(page: Page) -> Html:
    with page.keeping_form():
        form = page.form
        kind: KeyKind = "publishable" if form["kind"] == "publishable" else "secret"
        new = await tenants.create_api_key(page.ctx, form["name"], form["role"], _terms(form), kind)
        return page.show("api_key_created.html", at=_here(page), new=new)
    return await _show(page)


@post(
    "/console/t/{tenant:str}/api-keys/{key:str}/rotate",
    operation_id="console.api_keys.rotate",
    permission="api_keys:write",
)
async def rotate_api_key(page: Page, key: str) -> Html:
    with page.keeping_form():
        hours = int(page.form["hours"]) if page.form["hours"] in OVERLAPS else 0
        new = await tenants.rotate_api_key(page.ctx, key, hours * 3600)
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


@post(
    "/console/t/{tenant:str}/tokens/{token:str}/revoke", operation_id="console.tokens.revoke", permission="tokens:write"
)
async def revoke_token(page: Page, token: str) -> Html:
    with page.keeping_form():
        await tenants.revoke_token(page.ctx, token)
        return page.go(_here(page), done="tokens.revoke")
    return await _show(page)


async def _show(page: Page) -> Html:
    found = await tenants.list_api_keys(page.ctx, limit=LIMIT_MAX)
    return page.show(
        "api_keys.html",
        at=_here(page),
        keys=found.items,
        tokens=(await tenants.list_tokens(page.ctx, limit=LIMIT_MAX)).items,
        roles=grantable(page),
        permissions=[one for one in tenants.PERMISSIONS if one in page.ctx.permissions],
        now=clock.now_ms(),
    )


def _terms(form: Form) -> KeyTerms:
    """What the form restricts the key to; no permission ticked means all of the role."""
    ticked = tuple(name.removeprefix(TICKED) for name in form if name.startswith(TICKED))
    days = int(form["days"]) if form["days"] in LIVES else 0
    return KeyTerms(
        permissions=ticked or None,
        expires_at=clock.now_ms() + days * clock.DAY_MS if days else None,
        addresses=tuple(form["addresses"].replace(",", " ").split()),
        origins=tuple(form["origins"].replace(",", " ").split()),
    )


def _here(page: Page) -> str:
    return f"{page.home}/api-keys"


ROUTES = (api_keys, create_api_key, rotate_api_key, revoke_api_key, revoke_token)
