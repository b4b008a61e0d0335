"""What a person does with all that is kept of them: take it along, or have it erased."""

from litestar import get, post
from litestar.response import Stream

from veloflux import identity, personal_data
from veloflux.personal_data.api import download
from veloflux.web.console.page import Html, Page

DATA, ERASURE = "/console/account/personal-data", "/console/account/erasure"


@get(DATA, operation_id="console.personal_data", access="person")
async def show_export(page: Page) -> Html:
    return page.show("personal_data.html", at=DATA)


@post(DATA, operation_id="console.auth.personal_data", access="person", status_code=200)
async def export_own(page: Page) -> Html | Stream:
    with page.keeping_form():
        return download(await personal_data.export_own(page.ctx, page.form["current"]), "personal-data")
    return page.show("personal_data.html", at=DATA)


@get(ERASURE, operation_id="console.erasure", access="person")
async def show_erasure(page: Page) -> Html:
    return await _show(page)


@post(ERASURE, operation_id="console.auth.erase", access="person")
async def request_erasure(page: Page) -> Html:
    with page.keeping_form():
        await personal_data.request_own_erasure(page.ctx, page.form["current"])
        return page.go(ERASURE, done="auth.erase")
    return await _show(page)


@post(f"{ERASURE}/end", operation_id="console.auth.keep", access="person")
async def cancel_erasure(page: Page) -> Html:
    with page.keeping_form():
        await personal_data.cancel_erasure(page.ctx, page.ctx.actor.person)
        return page.go(ERASURE, done="auth.keep")
    return await _show(page)


async def _show(page: Page) -> Html:
    user = await identity.read_user(page.ctx.db, page.ctx.actor.person)
    days = page.ctx.settings.erasure_grace_days
    return page.show("erasure.html", at=ERASURE, erase_at=user.erase_at, days=days)


ROUTES = (show_export, export_own, show_erasure, request_erasure, cancel_erasure)
