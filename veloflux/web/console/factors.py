"""How somebody signs in beside the password: adding and removing an authenticator app, recovery codes, stepping up."""

import segno
from litestar import post

from veloflux import identity
from veloflux.web.console import account, second_factor
from veloflux.web.console.page import Html, Page


@post("/console/account/totp", operation_id="console.totp.enrol", access="person")
async def enrol_totp(page: Page) -> Html:
    with page.keeping_form():
        enrolment = await identity.enrol_totp(page.ctx)
        qr = segno.make(enrolment.uri).svg_inline(scale=5, border=3, light="#fff")
        return _confirming(page, secret=enrolment.secret, qr=qr)
    return await account.show(page)


@post("/console/account/totp/confirm", operation_id="console.totp.confirm", access="person")
async def confirm_totp(page: Page) -> Html:
    """The secret is not shown again when the code was wrong: whoever looks over a shoulder sees it once."""
    with page.keeping_form():
        codes = await identity.confirm_totp(page.ctx, page.form["code"])
        return shown(page, codes) if codes else page.go(account.HERE, done="totp.confirm")
    return _confirming(page, secret="", qr="")


@post("/console/account/totp/remove", operation_id="console.totp.remove", access="person")
async def remove_totp(page: Page) -> Html:
    with page.keeping_form():
        await identity.remove_totp(page.ctx, password=page.form["password"], code=page.form["code"])
        return page.go(account.HERE, done="totp.remove")
    return await account.show(page)


@post("/console/account/recovery-codes", operation_id="console.recovery_codes.create", access="person")
async def make_recovery_codes(page: Page) -> Html:
    with page.keeping_form():
        return shown(page, await identity.make_recovery_codes(page.ctx))
    return await account.show(page)


@post("/console/account/step-up", operation_id="console.auth.step_up", access="person")
async def step_up(page: Page) -> Html:
    with page.keeping_form():
        await identity.step_up(page.ctx, second_factor.answered(page))
        return page.go(account.HERE, done="auth.step_up")
    return await account.show(page)


def shown(page: Page, codes: list[str]) -> Html:
    """The answer to the form itself, since codes are shown once."""
    return page.show("recovery_codes.html", at=account.HERE, codes=codes)


def _confirming(page: Page, *, secret: str, qr: str) -> Html:
    return page.show("totp_enrolled.html", at=account.HERE, secret=secret, qr=qr)


ROUTES = (enrol_totp, confirm_totp, remove_totp, make_recovery_codes, step_up)
