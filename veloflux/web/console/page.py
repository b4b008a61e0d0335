"""One page of the console: who looks, in which language, at which tenant, what they typed; and what they get.

Handlers declare who may use them as the API's do (veloflux.web.access) and are authorised by the same functions. What
differs is the answer: a page in the reader's language, a form with its problem, or the way to sign in.
"""

import asyncio
import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
from litestar import Litestar, Request, Response
from litestar.datastructures import Cookie

from veloflux import tenants, users
from veloflux.context import Actor, Context
from veloflux.errors import NotAuthenticated, SecondFactorNeeded, VeloFluxError
from veloflux.identity import Person, SignedIn
from veloflux.kit import i18n
from veloflux.kit.device import device
from veloflux.tenants import Tenant
from veloflux.web import access, problems, templating
from veloflux.web.console import form, places
from veloflux.web.console.clock_bar import Bar, read_bar

Html = Response[str]
Asked = Request[Any, Any, Any]
DONE_COOKIE = "done"
DONE_SHOWN_S = 60
MOVED = "moved"
"""The part of a query that says since where among its events the tenant's clock was moved."""
ZONE = "America/Sao_Paulo"
"""Where the times of pages without a tenant are told; the zone that a tenant has by default."""


class Page:
    def __init__(self, request: Asked) -> None:
        state = request.scope["state"]
        self.ctx = Context(
            parts=request.app.state.parts,
            request=state["request_id"],
            actor=Actor(id="anonymous", address=state["address"], device=device(request.headers.get("user-agent", ""))),
        )
        self.viewer: Person | None = None
        self.platform: frozenset[str] = frozenset()
        self.tenant: Tenant | None = None
        self.clock: Bar | None = None
        self.form = form.Form()
        self.problem: VeloFluxError | None = None
        self.language = i18n.choose(request.cookies.get(i18n.LANGUAGE_COOKIE), request.headers.get("accept-language"))
        self.request = request
        self._tenants: list[Tenant] = []

    @property
    def path(self) -> str:
        """Where this page is, with its query."""
        query = self.request.scope["query_string"].decode("latin-1")
        return self.request.scope["path"] + (f"?{query}" if query else "")

    @property
    def home(self) -> str:
        """Where the pages of the tenant begin."""
        assert self.tenant, "this page is not a tenant's"
        return f"/console/t/{self.tenant.slug}"

    def show(self, template: str, *, at: str = "", **values: Any) -> Html:
        """Render a template; `at` is its own address where the request went to another one, as a form does."""
        done = self.request.cookies.get(DONE_COOKIE)
        frame = {
            "viewer": self.viewer,
            "platform": self.platform,
            "tenant": self.tenant,
            "tenants": self._tenants,
            "may": self.may,
            "path": at or self.path,
            "done": None if self.problem else done,
            "problem": self.problem and told(self.problem, self.ctx.request),
            "form": self.form,
            "clock": self.clock,
            "zone": self.tenant.zone if self.tenant else ZONE,
            "public_url": self.ctx.settings.console_url,
        }
        answer = Response(
            templating.render(template, self.language, **(frame | values)),
            status_code=self.problem.status if self.problem else 200,
            media_type="text/html",
            headers={"content-language": self.language} | (problems.headers(self.problem) if self.problem else {}),
        )
        if done:
            answer.delete_cookie(DONE_COOKIE, path=places.START)
        return answer

    def go(self, path: str, *, done: str = "") -> Html:
        """Send the browser to another page of ours, which says what was done."""
        if self.request.headers.get("hx-request"):
            return Response("", headers={"hx-redirect": path}, media_type="text/html")
        answer = Response("", status_code=303, headers={"location": path}, media_type="text/html")
        if done:
            answer.set_cookie(self.cookie(DONE_COOKIE, done, path=places.START, max_age=DONE_SHOWN_S))
        return answer

    def enter(self, signed_in: SignedIn, path: str, *, done: str = "") -> Html:
        """Go on as a person who just signed in: by a fresh session, whatever the browser held before."""
        answer = self.go(path, done=done)
        life_s = self.ctx.settings.session_absolute_s
        answer.set_cookie(self.cookie(access.COOKIE, signed_in.token, max_age=life_s))
        return answer

    def cookie(self, name: str, value: str, *, max_age: int, path: str = "/") -> Cookie:
        """A cookie that scripts cannot read and other sites cannot send."""
        secure = self.ctx.settings.console_url.startswith("https://")
        return Cookie(name, path, value, max_age=max_age, secure=secure, httponly=True, samesite="lax")

    @contextmanager
    def keeping_form(self) -> Iterator[None]:
        """Note an error of ours, so that the form is shown again with it and with what was typed."""
        try:
            yield
        except VeloFluxError as error:
            self.problem = error

    def blame(self, *fields: str) -> None:
        """Tell the problem above the form unless it is of a field that the form has; a name may be the beginning of one."""
        if self.problem and not str(self.problem.extra.get("field") or "").startswith(fields):
            self.problem.extra.pop("field", None)

    async def authorise(self) -> None:
        """:raises NotAuthenticated, PermissionDenied, NotFound: as the route's declaration asks."""
        rule = self.request.route_handler.opt
        await self._recognise()
        if rule.get("access") != "public" and self.viewer is None:
            raise NotAuthenticated("Sign in to see this page")
        self.ctx = await access.authorised(self.ctx, rule, self.request.path_params)
        if "permission" in rule:
            self.tenant, page = await asyncio.gather(
                tenants.find(self.ctx, self.ctx.tenant), tenants.list_tenants(self.ctx)
            )
            self._tenants = list(page.items)
            if self.tenant.mode == "sandbox":
                self.clock = await read_bar(self.ctx, self.request.query_params.get(MOVED))

    async def _recognise(self) -> None:
        token = self.request.cookies.get(access.COOKIE)
        if not token:
            return
        try:
            self.viewer = await users.authenticate(self.ctx.parts, token)
        except NotAuthenticated:
            return
        known = self.viewer.actor(self.ctx.actor.address)
        self.ctx = self.ctx.acting(msgspec.structs.replace(known, device=self.ctx.actor.device))
        self.platform = await tenants.platform_permissions(self.ctx)

    def rules(self) -> dict[str, dict[str, Any]]:
        """What each operation declares about who may use it."""
        return _rules(self.request.app)

    @functools.cached_property
    def may(self) -> frozenset[str]:
        """The operations that the viewer may do here."""
        return frozenset(operation for operation, rule in self.rules().items() if self._allows(rule))

    def _allows(self, rule: Mapping[str, Any]) -> bool:
        match rule.get("access"):
            case "person":
                return self.viewer is not None and not self.viewer.impersonator and self._opens(rule)
            case "session" | "known":
                return self.viewer is not None and self._opens(rule)
            case "public":
                return True
        if "platform" in rule:
            return rule["platform"] in self.platform
        return rule.get("permission") in self.ctx.permissions

    def _opens(self, rule: Mapping[str, Any]) -> bool:
        """Whether the viewer's session opens more than the tenant whose provider gave it, or this nevertheless."""
        return self.viewer is not None and (not self.viewer.via or bool(rule.get("sso")))


async def provide(request: Asked) -> Page:
    """The page of a request, authorised, with its form."""
    request.scope["state"]["operation"] = request.route_handler.operation_id
    access.require_same_origin(request)
    page = Page(request)
    request.scope["state"]["page"] = page
    if request.method == "POST":
        page.form = form.parse(await request.body())
    await page.authorise()
    return page


def respond(request: Asked, exception: Exception) -> Html:
    """The answer to an exception of a console route: the way to sign in or to a second factor, or what is wrong."""
    error = problems.of_exception(exception)
    page: Page = request.scope["state"].get("page") or Page(request)
    if error.code == NotAuthenticated.code:
        return page.go(places.sign_in(page.path if request.method == "GET" else places.START))
    if error.code == SecondFactorNeeded.code:
        return page.go(places.SECOND_FACTOR_NEEDED)
    answer = page.show("error.html", error=told(error, page.ctx.request))
    answer.status_code = error.status
    answer.headers.update(problems.headers(error))
    return answer


def told(error: VeloFluxError, request_id: str) -> dict[str, Any]:
    """An error as the templates read it."""
    return {
        "code": error.code,
        "status": error.status,
        "sentence": str(error),
        "field": error.extra.get("field"),
        "line": error.extra.get("line"),
        "request_id": request_id,
    }


@functools.cache
def _rules(app: Litestar) -> dict[str, dict[str, Any]]:
    """What each operation declares about who may use it."""
    handlers = [handler for route in app.routes for handler in getattr(route, "route_handlers", ())]
    return {str(handler.operation_id): handler.opt for handler in handlers if handler.operation_id}
