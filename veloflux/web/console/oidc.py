"""A tenant's sign-in provider."""

from litestar import get, post

from veloflux import tenants
from veloflux.tenants import OidcTerms
from veloflux.tenants.oidc_connection import redirect_uri
from veloflux.tenants.oidc_model import OidcReport
from veloflux.tenants.permissions import roles_of
from veloflux.tenants.shown import OidcShown
from veloflux.web.console.form import Form
from veloflux.web.console.page import Html, Page


@get("/console/t/{tenant:str}/sign-in", operation_id="console.oidc", permission="sign_in:write")
async def oidc(page: Page) -> Html:
    return await _show(page)


@post("/console/t/{tenant:str}/sign-in", operation_id="console.tenants.oidc.set", permission="sign_in:write")
async def set_oidc(page: Page) -> Html:
    with page.keeping_form():
        await tenants.set_oidc(page.ctx, _terms(page.form), page.form["client_secret"])
        return page.go(f"{page.home}/sign-in", done="tenants.oidc.set")
    return await _show(page)


@post("/console/t/{tenant:str}/sign-in/test", operation_id="console.tenants.oidc.test", permission="sign_in:write")
async def try_oidc(page: Page) -> Html:
    with page.keeping_form():
        return await _show(page, await tenants.try_oidc(page.ctx))
    return await _show(page)


@post("/console/t/{tenant:str}/sign-in/remove", operation_id="console.tenants.oidc.remove", permission="sign_in:write")
async def remove_oidc(page: Page) -> Html:
    with page.keeping_form():
        await tenants.remove_oidc(page.ctx)
        return page.go(f"{page.home}/sign-in", done="tenants.oidc.remove")
    return await _show(page)


def _terms(form: Form) -> OidcTerms:
    """One group a line, `group = role`; the last `=` counts, since groups may have names with one."""
    pairs = [line.rpartition("=") for line in form["roles"].splitlines() if line.strip()]
    return OidcTerms(
        issuer=form["issuer"].strip(),
        client_id=form["client_id"].strip(),
        scopes=tuple(form["scopes"].split()),
        email_claim=form["email_claim"].strip(),
        name_claim=form["name_claim"].strip(),
        groups_claim=form["groups_claim"].strip(),
        roles={group.strip(): role.strip() for group, _, role in pairs},
        default_role=form["default_role"],
        domains=tuple(form["domains"].replace(",", " ").split()),
        enabled=form["enabled"] == "on",
    )


async def _show(page: Page, report: OidcReport | None = None) -> Html:
    shown = OidcShown.of(await tenants.show_oidc(page.ctx), redirect_uri(page.ctx, page.ctx.tenant))
    return page.show(
        "oidc.html", at=f"{page.home}/sign-in", connection=shown, roles=roles_of(page.ctx.tenant), report=report
    )


ROUTES = (oidc, set_oidc, try_oidc, remove_oidc)
