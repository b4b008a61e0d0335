"""The pages of somebody who forgot the password: asking for a link, and the link's own."""

from litestar import get, post

from veloflux import identity
from veloflux.errors import LinkExpired
from veloflux.identity.passwords import LENGTH_MIN
from veloflux.web.console import places
from veloflux.web.console.doors import expired
from veloflux.web.console.page import Html, Page


@get("/console/forgot-password", operation_id="console.forgot_password", access="public")
async def forgot_password(page: Page) -> Html:
    return page.show("forgot_password.html")


@post("/console/forgot-password", operation_id="console.auth.password_reset", access="public")
async def request_password_reset(page: Page) -> Html:
    """Says the same whether the address has an account or not."""
    with page.keeping_form():
        await identity.request_password_reset(page.ctx, page.form["email"])
        return page.show("mail_awaited.html", kind="reset", email=page.form["email"])
    return page.show("forgot_password.html")


@get("/console/reset/{token:str}", operation_id="console.reset", access="public")
async def reset(page: Page, token: str) -> Html:
    return page.show("reset_password.html", token=token, password_min=LENGTH_MIN)


@post("/console/reset/{token:str}", operation_id="console.auth.password_reset_confirm", access="public")
async def reset_password(page: Page, token: str) -> Html:
    with page.keeping_form():
        await identity.reset_password(page.ctx, token, page.form["password"])
        return page.go(places.SIGN_IN, done="auth.password_reset_confirm")
    if isinstance(page.problem, LinkExpired):
        return expired(page, "reset")
    return page.show("reset_password.html", token=token, password_min=LENGTH_MIN)


ROUTES = (forgot_password, request_password_reset, reset, reset_password)
