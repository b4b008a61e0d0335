"""Acting as somebody else in the console: its beginning, and the button of the banner that ends it.

The browser keeps the own session in a second cookie, and returns to it.
"""

from litestar import post

from veloflux import identity, users
from veloflux.errors import InputInvalid
from veloflux.web import access
from veloflux.web.console import places
from veloflux.web.console.page import Html, Page
from veloflux.web.console.users import HERE, show_person


@post("/console/users/{user:str}/impersonate", operation_id="console.users.impersonate", platform="users:impersonate")
async def impersonate(page: Page, user: str) -> Html:
    own = page.request.cookies.get(access.COOKIE, "")
    with page.keeping_form():
        signed_in = await users.impersonate(page.ctx, user, page.form["reason"], _minutes(page))
        answer = page.enter(signed_in, places.START)
        life_s = page.ctx.settings.session_absolute_s
        answer.set_cookie(page.cookie(access.OWN_COOKIE, own, path=places.START, max_age=life_s))
        return answer
    return await show_person(page, user)


@post("/console/impersonation/end", operation_id="console.users.stop_impersonating", access="session")
async def stop_impersonating(page: Page) -> Html:
    await identity.stop_impersonation(page.ctx)
    own = page.request.cookies.get(access.OWN_COOKIE, "")
    answer = page.go(f"{HERE}/{page.ctx.actor.person}", done="users.stop_impersonating")
    answer.set_cookie(page.cookie(access.COOKIE, own, max_age=page.ctx.settings.session_absolute_s))
    answer.delete_cookie(access.OWN_COOKIE, path=places.START)
    return answer


def _minutes(page: Page) -> int:
    text = page.form["minutes"]
    if not (text.isascii() and text.isdigit() and len(text) < 4):
        raise InputInvalid(f"Choose 1 to {identity.MINUTES_MAX} minutes", field="minutes")
    return int(text)


ROUTES = (impersonate, stop_impersonating)
