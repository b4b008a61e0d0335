"""Who somebody is, and the sessions that are open in their name."""

from litestar import get, post

from veloflux import identity, tenants
from veloflux.identity.ceremony import is_possible
from veloflux.identity.passwords import LENGTH_MIN
from veloflux.identity.sessions import Which
from veloflux.web.console import places
from veloflux.web.console.page import Html, Page

HERE = "/console/account"


@get("/console/account", operation_id="console.account", access="person", sso=True)
async def account(page: Page, needed: str = "") -> Html:
    """`needed`: what a page that the browser was sent from asks for."""
    return await show(page, needed)


@post("/console/account/sessions/{session:str}/end", operation_id="console.sessions.end", access="person")
async def end_session(page: Page, session: str) -> Html:
    with page.keeping_form():
        await identity.end_session(page.ctx, session)
        return page.go(HERE, done="sessions.end")
    return await show(page)


@post("/console/account/password", operation_id="console.auth.password", access="person")
async def change_password(page: Page) -> Html:
    with page.keeping_form():
        await identity.change_password(page.ctx, page.form["current"], page.form["password"])
        return page.go(HERE, done="auth.password")
    return await show(page)


@post("/console/account/sessions/end", operation_id="console.sessions.end_many", access="person")
async def end_sessions(page: Page) -> Html:
    which: Which = "all" if page.form["which"] == "all" else "others"
    with page.keeping_form():
        await identity.end_sessions(page.ctx, which)
        return page.go(HERE if which == "others" else places.SIGN_IN, done="sessions.end_many")
    return await show(page)


async def show(page: Page, needed: str = "") -> Html:
    """The page, with the problem of one of its forms."""
    own = await tenants.tenants_of(page.ctx, page.ctx.actor.person)
    # Where else the person is signed in is no business of a tenant's provider.
    sessions = [] if page.ctx.actor.via else await identity.list_sessions(page.ctx)
    return page.show(
        "account.html",
        at=HERE,
        sessions=sessions,
        tenants=own,
        platform_role=await tenants.platform_role(page.ctx),
        password_min=LENGTH_MIN,
        factors=await identity.read_factors(page.ctx.db, page.ctx.actor.person),
        passkeys_possible=is_possible(page.ctx.settings),
        needs_factor=needed == "second-factor",
        is_raised=identity.has_second(page.ctx.actor.factors),
    )


ROUTES = (account, end_session, end_sessions, change_password)
