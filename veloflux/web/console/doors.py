"""The pages by which people come in and go out: setup link, sign-up, sign-in, invitation, sign-out, language."""

from typing import cast

from litestar import get, post

from veloflux import identity, tenants
from veloflux.context import PLATFORM
from veloflux.errors import AlreadyDone, LinkExpired, NameTaken, SecondFactorRequired
from veloflux.identity import Language
from veloflux.identity.passwords import LENGTH_MIN
from veloflux.kit import i18n
from veloflux.tenants import Tenant
from veloflux.web import access
from veloflux.web.console import places, second_factor
from veloflux.web.console.page import Html, Page

LANGUAGE_KEPT_S = 365 * 86_400


@get("/", operation_id="console.root", access="public")
async def root(page: Page) -> Html:
    return page.go(places.START)


@get("/console", operation_id="console.start", access="session", sso=True)
async def start(page: Page) -> Html:
    """A person of one tenant begins with its usage, everybody else with the list."""
    if "tenants:read" not in page.platform:
        own = (await tenants.list_tenants(page.ctx)).items
        if len(own) == 1:
            return page.go(f"/console/t/{own[0].slug}/usage")
    return page.go("/console/tenants")


@get("/console/setup/{token:str}", operation_id="console.setup", access="public")
async def setup(page: Page, token: str) -> Html:
    if not await tenants.is_setup_token(page.ctx, token):
        return expired(page, "setup")
    return _setup(page, token)


@post("/console/setup/{token:str}", operation_id="console.operator.create", access="public")
async def create_operator(page: Page, token: str) -> Html:
    form = page.form
    with page.keeping_form():
        account = {"email": form["email"], "password": form["password"]}
        await tenants.create_operator(page.ctx, token, name=form["name"], **account)
        signed_in = await identity.log_in(page.ctx, **account)
        return page.enter(signed_in, "/console/tenants", done="operator.create")
    return expired(page, "setup") if isinstance(page.problem, LinkExpired) else _setup(page, token)


@get("/console/sign-up", operation_id="console.sign_up", access="public")
async def sign_up(page: Page) -> Html:
    return page.go(places.START) if page.viewer else page.show("sign_up.html", password_min=LENGTH_MIN)


@post("/console/sign-up", operation_id="console.auth.register", access="public")
async def register(page: Page) -> Html:
    """Says the same whether the address has an account or not."""
    form = page.form
    with page.keeping_form():
        await identity.start_registration(
            page.ctx, name=form["name"], email=form["email"], password=form["password"], language=_language(page)
        )
        return page.show("mail_awaited.html", kind="sign_up", email=form["email"])
    return page.show("sign_up.html", password_min=LENGTH_MIN)


@get("/console/verify/{token:str}", operation_id="console.verify", access="public")
async def verify(page: Page, token: str) -> Html:
    """Changes nothing: programs that look into e-mails open links too."""
    return page.show("verify.html", token=token)


@post("/console/verify/{token:str}", operation_id="console.auth.verify", access="public")
async def confirm_registration(page: Page, token: str) -> Html:
    with page.keeping_form():
        await identity.confirm_registration(page.ctx, token)
        return page.go(places.SIGN_IN, done="auth.verify")
    is_over = isinstance(page.problem, (LinkExpired, AlreadyDone, NameTaken))
    return expired(page, "verify") if is_over else page.show("verify.html", token=token)


@get("/console/sign-in", operation_id="console.sign_in", access="public")
async def sign_in(page: Page, next: str = places.START) -> Html:  # noqa: A002  the query's name
    if page.viewer and not page.viewer.via:
        return page.go(places.within_console(next))
    return page.show("sign_in.html", next=places.within_console(next), sign_up_open=True)


@post("/console/sign-in", operation_id="console.auth.login", access="public")
async def log_in(page: Page) -> Html:
    then = places.within_console(page.form["next"])
    with page.keeping_form():
        signed_in = await identity.log_in(page.ctx, page.form["email"], page.form["password"])
        await _leave(page)
        return page.enter(signed_in, then)
    if isinstance(page.problem, SecondFactorRequired):
        return second_factor.ask(page, page.problem, then)
    return page.show("sign_in.html", at=places.sign_in(then), next=then, sign_up_open=True)


@post("/console/sign-out", operation_id="console.auth.logout", access="public")
async def log_out(page: Page) -> Html:
    await _leave(page)
    answer = page.go(places.SIGN_IN, done="auth.logout")
    answer.delete_cookie(access.COOKIE)
    answer.delete_cookie(access.OWN_COOKIE, path=places.START)
    return answer


@get("/console/invitations/{token:str}", operation_id="console.invitation", access="public")
async def invitation(page: Page, token: str) -> Html:
    return await _invitation(page, token)


@post("/console/invitations/{token:str}", operation_id="console.invitations.accept", access="public")
async def accept_invitation(page: Page, token: str) -> Html:
    """Accept as the person who is signed in, or who signs in or up with this very form."""
    with page.keeping_form():
        if page.viewer:
            access.in_person(page.ctx)
            tenant = await tenants.accept_invitation(page.ctx, token)
            return page.go(_first_page(tenant), done="invitations.accept")
        opened = await tenants.open_invitation(page.ctx, token)
        email = opened.invitation.email
        if not opened.has_account:
            tenant, signed_in = await tenants.join_by_invitation(
                page.ctx, token, name=page.form["name"], password=page.form["password"], language=_language(page)
            )
            return page.enter(signed_in, _first_page(tenant), done="invitations.accept")
        signed_in = await identity.log_in(page.ctx, email, page.form["password"])
        joining = page.ctx.acting(signed_in.person.actor(page.ctx.actor.address))
        tenant = await tenants.accept_invitation(joining, token)
        return page.enter(signed_in, _first_page(tenant), done="invitations.accept")
    if isinstance(page.problem, SecondFactorRequired):  # back here then, to accept as who is signed in
        return second_factor.ask(page, page.problem, f"/console/invitations/{token}")
    return await _invitation(page, token)


@post("/console/language", operation_id="console.language", access="public")
async def choose_language(page: Page) -> Html:
    answer = page.go(places.within_console(page.form["next"]))
    if page.form["language"] in i18n.LANGUAGES:
        answer.set_cookie(page.cookie(i18n.LANGUAGE_COOKIE, page.form["language"], max_age=LANGUAGE_KEPT_S))
    return answer


def _language(page: Page) -> Language:
    return cast(Language, page.language)


def _first_page(tenant: Tenant) -> str:
    """Where a new member begins; a new operator has no usage to see."""
    return "/console/tenants" if tenant.id == PLATFORM else f"/console/t/{tenant.slug}/usage"


async def _leave(page: Page) -> None:
    if page.viewer:
        await identity.log_out(page.ctx)


async def _invitation(page: Page, token: str) -> Html:
    try:
        opened = await tenants.open_invitation(page.ctx, token)
    except (LinkExpired, AlreadyDone) as error:
        page.problem = error
        return expired(page, "invitation")
    invited = {
        "tenant_name": opened.tenant.name,
        "email": opened.invitation.email,
        "role": opened.invitation.role,
    }
    return page.show(
        "accept_invitation.html",
        token=token,
        invitation=invited,
        has_account=opened.has_account,
        password_min=LENGTH_MIN,
    )


def _setup(page: Page, token: str) -> Html:
    return page.show("setup.html", token=token, password_min=LENGTH_MIN)


def expired(page: Page, kind: str) -> Html:
    """The page of a link that is over. Says itself what is wrong: no problem above it."""
    status = page.problem.status if page.problem else LinkExpired.status
    page.problem = None
    answer = page.show("link_expired.html", kind=kind)
    answer.status_code = status
    return answer


ROUTES = (
    root,
    start,
    setup,
    create_operator,
    sign_up,
    register,
    verify,
    confirm_registration,
    sign_in,
    log_in,
    log_out,
    invitation,
    accept_invitation,
    choose_language,
)
