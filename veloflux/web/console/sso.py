"""Signing in by a company's own provider: there, back, and the link that the first time needs.

What leads on to a provider is never the answer to a form: the console's policy (form-action) lets forms lead to the
console alone, so that those answers are pages that go on by themselves.
"""

import msgspec
from litestar import get, post

from veloflux import identity, tenants
from veloflux.context import ANONYMOUS, Context
from veloflux.errors import LinkExpired, VeloFluxError
from veloflux.tenants import SignInAnswer
from veloflux.tenants.slug import SLUG
from veloflux.web.console import places
from veloflux.web.console.doors import expired
from veloflux.web.console.page import Html, Page

BROWSER_COOKIE = "vf_sso"
HERE = "/console/sso"
KEPT_S = 600


@get("/console/sso", operation_id="console.sso", access="public")
async def sso(page: Page, company: str = "") -> Html:
    """Asks for the company; any name that can be one leads on, and only there it shows whether there is such a one."""
    company = company.strip().lower()
    return _go_on(page, company) if SLUG.fullmatch(company) else page.show("sso.html", company=company)


@get("/console/sso/{company:str}", operation_id="console.sso.begin", access="public")
async def begin(page: Page, company: str) -> Html:
    with page.keeping_form():
        started = await tenants.begin_sso(_nobody(page), company)
        answer = page.go(started.url)
        answer.set_cookie(page.cookie(BROWSER_COOKIE, started.browser, path=HERE, max_age=KEPT_S))
        return answer
    return page.show("sso.html", at=HERE, company=company)


@get("/console/sso/callback/{owner:str}", operation_id="console.sso.callback", access="public")
async def callback(page: Page, owner: str) -> Html:
    """Where a provider sends people back to; nothing of what it says is shown."""
    said = page.request.query_params
    answer = SignInAnswer(**{name: str(said.get(name, "")) for name in SignInAnswer.__struct_fields__})
    browser = page.request.cookies.get(BROWSER_COOKIE, "")
    with page.keeping_form():
        tenant, signed_in = await tenants.finish_sso(_nobody(page), owner, answer, browser)
        if signed_in is None:
            return page.show("sso_mail_awaited.html", at=HERE, tenant_name=tenant.name)
        if page.viewer:
            await identity.log_out(page.ctx)
        return page.enter(signed_in, f"/console/t/{tenant.slug}/usage")
    return page.show("sso.html", at=HERE, company="")


@get("/console/sso/link/{token:str}", operation_id="console.sso.link", access="public")
async def link(page: Page, token: str) -> Html:
    """Changes nothing: programs that look into e-mails open links too."""
    return await _link(page, token)


@post("/console/sso/join/{token:str}", operation_id="console.auth.sso_join", access="public")
async def join(page: Page, token: str) -> Html:
    with page.keeping_form():
        return _go_on(page, (await tenants.join_by_oidc_link(_nobody(page), token)).slug)
    return await _link(page, token)


@post("/console/sso/link/{token:str}", operation_id="console.auth.sso_link", access="person")
async def confirm(page: Page, token: str) -> Html:
    with page.keeping_form():
        return _go_on(page, (await tenants.confirm_oidc_link(page.ctx, token)).slug)
    return await _link(page, token)


async def _link(page: Page, token: str) -> Html:
    problem, path = page.problem, f"{HERE}/link/{token}"
    try:
        asked = await tenants.open_oidc_link(page.ctx, token)
    except LinkExpired as error:
        page.problem = error
        return expired(page, "sso")
    own = page.viewer if page.viewer and not page.viewer.via else None
    page.problem = problem if isinstance(problem, VeloFluxError) else None
    return page.show("sso_link.html", at=path, asked=asked, token=token, own=own, sign_in=places.sign_in(path))


def _go_on(page: Page, company: str) -> Html:
    path = f"{HERE}/{company}"
    answer = page.show("sso_go.html", at=HERE, to=path)
    answer.headers["refresh"] = f"0; url={path}"
    return answer


def _nobody(page: Page) -> Context:
    """Whoever comes from a provider is nobody yet, whatever session the browser has."""
    actor = page.ctx.actor
    return page.ctx.acting(msgspec.structs.replace(ANONYMOUS, address=actor.address, device=actor.device))


ROUTES = (sso, begin, callback, link, join, confirm)
