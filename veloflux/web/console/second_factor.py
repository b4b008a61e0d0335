"""The second step of a sign-in: the page that asks for the code, while the browser holds the challenge."""

from litestar import get, post

from veloflux import identity
from veloflux.errors import SignInExpired, VeloFluxError
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
    if not page.request.cookies.get(COOKIE):
        return page.go(places.sign_in(next))
    return _show(page, next)


@post("/console/sign-in/second-factor", operation_id="console.auth.second_factor", access="public")
async def finish_log_in(page: Page) -> Html:
    then = places.within_console(page.form["next"])
    challenge = page.request.cookies.get(COOKIE, "")
    with page.keeping_form():
        signed_in = await identity.finish_log_in(page.ctx, challenge, FactorAnswer(code=page.form["code"]))
        if page.viewer:
            await identity.log_out(page.ctx)
        return _forgetting(page.enter(signed_in, then))
    if isinstance(page.problem, SignInExpired):
        return _forgetting(page.show("sign_in.html", at=places.sign_in(then), next=then, sign_up_open=True))
    return _show(page, then)


def _show(page: Page, then: str) -> Html:
    then = places.within_console(then)
    return page.show("second_factor.html", at=places.second_factor(then), next=then)


def _forgetting(answer: Html) -> Html:
    answer.delete_cookie(COOKIE, path=places.SIGN_IN)
    return answer


ROUTES = (second_factor, finish_log_in)
"""The page, and what its form sends."""
