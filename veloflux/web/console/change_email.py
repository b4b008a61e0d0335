"""The pages of a change of e-mail: asking for it, and the page of the links, which acts by its buttons alone."""

from litestar import get, post

from veloflux import identity
from veloflux.errors import AlreadyDone, LinkExpired, NameTaken
from veloflux.web.console.doors import expired
from veloflux.web.console.page import Html, Page


@get("/console/account/email", operation_id="console.account_email", access="person")
async def new_email(page: Page) -> Html:
    return page.show("change_email.html", at="/console/account")


@post("/console/account/email", operation_id="console.auth.email", access="person")
async def request_email_change(page: Page) -> Html:
    """Says the same whether the address has an account or not."""
    with page.keeping_form():
        await identity.request_email_change(page.ctx, page.form["email"], page.form["current"])
        return page.go("/console/account", done="auth.email")
    return page.show("change_email.html", at="/console/account")


@get("/console/email/{token:str}", operation_id="console.email", access="public")
async def email(page: Page, token: str) -> Html:
    """Changes nothing: programs that look into e-mails open links too."""
    return page.show("confirm_email.html", token=token)


@post("/console/email/{token:str}", operation_id="console.auth.email_confirm", access="public")
async def confirm_email_change(page: Page, token: str) -> Html:
    with page.keeping_form():
        is_done = await identity.confirm_email_change(page.ctx, token)
        return page.show("email_confirmed.html", outcome="done" if is_done else "awaited")
    return _again(page, token)


@post("/console/email/{token:str}/refuse", operation_id="console.auth.email_refuse", access="public")
async def refuse_email_change(page: Page, token: str) -> Html:
    with page.keeping_form():
        await identity.refuse_email_change(page.ctx, token)
        return page.show("email_confirmed.html", outcome="refused")
    return _again(page, token)


def _again(page: Page, token: str) -> Html:
    if isinstance(page.problem, AlreadyDone):
        page.problem = None
        return page.show("email_confirmed.html", outcome="awaited")
    is_over = isinstance(page.problem, (LinkExpired, NameTaken))
    return expired(page, "email") if is_over else page.show("confirm_email.html", token=token)


ROUTES = (new_email, request_email_change, email, confirm_email_change, refuse_email_change)
