"""The second step of a sign-in: the page that asks for the code, while the browser holds the challenge."""

from contextlib import suppress

import msgspec
from litestar import get, post

from veloflux import identity
from veloflux.errors import InputInvalid, SignInExpired, VeloFluxError
from veloflux.identity.ceremony import Credential
from veloflux.identity.factors_model import FactorAnswer
from veloflux.identity.sign_in_challenges import LIFE_MS
from veloflux.web.console import places
from veloflux.web.console.page import Html, Page

COOKIE = "vf_challenge"


def ask(page: Page, required: VeloFluxError, then: str) -> Html:
    """Send a browser whose password was right to the page that asks for the second factor."""
    page.problem = None
    answer = page.go(places.second_factor(then))
    challenge = str(required.extra["challenge"])
    answer.set_cookie(page.cookie(COOKIE, challenge, path=places.SIGN_IN, max_age=LIFE_MS // 1000))
    return answer


@get("/console/sign-in/second-factor", operation_id="console.second_factor", access="public")
async def second_factor(page: Page, next: str = places.START) -> Html:  # noqa: A002  the query's name
    with suppress(SignInExpired):
        return await _show(page, next)
    return page.go(places.sign_in(next))


@post("/console/sign-in/second-factor", operation_id="console.auth.second_factor", access="public")
async def finish_log_in(page: Page) -> Html:
    then = places.within_console(page.form["next"])
    challenge = page.request.cookies.get(COOKIE, "")
    with page.keeping_form():
        signed_in = await identity.finish_log_in(page.ctx, challenge, answered(page))
        if page.viewer:
            await identity.log_out(page.ctx)
        return _forgetting(page.enter(signed_in, then))
    with suppress(SignInExpired):
        return await _show(page, then)
    return _forgetting(page.show("sign_in.html", at=places.sign_in(then), next=then, sign_up_open=True))


def answered(page: Page) -> FactorAnswer:
    """What a form proves a second factor with."""
    if page.form["credential"]:
        return FactorAnswer(credential=credential(page))
    return FactorAnswer(code=page.form["code"])


def credential(page: Page) -> Credential:
    """What the script put into the form.

    :raises InputInvalid: it did not run.
    """
    try:
        return msgspec.json.decode(page.form["credential"], type=Credential)
    except msgspec.DecodeError:
        raise InputInvalid("Your browser sent no passkey; load the page again and repeat") from None


async def _show(page: Page, then: str) -> Html:
    """:raises SignInExpired: there is nothing (any more) to ask for."""
    methods, options = await identity.asked_of(page.ctx, page.request.cookies.get(COOKIE, ""))
    then = places.within_console(then)
    return page.show("second_factor.html", at=places.second_factor(then), next=then, methods=methods, options=options)


def _forgetting(answer: Html) -> Html:
    answer.delete_cookie(COOKIE, path=places.SIGN_IN)
    return answer


ROUTES = (second_factor, finish_log_in)
"""The page, and what its form sends."""
