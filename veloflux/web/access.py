"""Who may use a route: what its decorator declares becomes the Context that its function gets.

access="public"       anybody; the actor is anonymous
access="person"       a person in person: whoever acts as somebody else is refused, so that a new route of the own
                      account, its credentials above all, is closed to them unless it says otherwise
access="session"      someone with a session, of an impersonation too
access="known"        someone with a session, or a program with an API key
platform="x:read"     somebody whose role on the platform has the permission, or one of its service keys
permission="x:read"   someone whose role in the tenant of the path has the permission; for everybody else the
                      tenant does not exist

A session that a tenant's provider gave opens that tenant's routes; of those that are about a person it opens the ones
that declare sso=True, and nothing that the person could be robbed by.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request
from litestar.handlers import HTTPRouteHandler

from veloflux import identity, tenants, users
from veloflux.context import Actor, Context, Parts
from veloflux.errors import ImpersonationForbids, NotAuthenticated, OriginRefused, PermissionDenied
from veloflux.kit.device import device
from veloflux.web.application import bearer
from veloflux.web.cors import elsewhere

COOKIE = "vf_session"
OWN_COOKIE = "vf_own_session"
"""Holds the own session of who acts as somebody else, to which the browser returns."""
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


async def context_of(request: Request[Any, Any, Any]) -> Context:
    """The Context of a request, authenticated and authorised.

    :raises NotAuthenticated, PermissionDenied, NotFound: as the route's declaration asks.
    """
    state, parts = request.scope["state"], request.app.state.parts
    rule = request.route_handler.opt
    state["operation"] = request.route_handler.operation_id
    if rule.get("access") == "public":
        standing = await identity.admit_address(parts, state["address"])
        agent = device(request.headers.get("user-agent", ""))
        actor = Actor(id="anonymous", address=state["address"], device=agent, standing=standing)
    else:
        actor = await _actor(request, parts, state["address"])
    state["standing"] = actor.standing
    ctx = Context(parts=parts, request=state["request_id"], actor=actor)
    if actor.origin and "permission" not in rule:
        raise OriginRefused("Pages of other origins may use the routes of a tenant alone")
    ctx = await authorised(ctx, rule, request.path_params)
    state["readable_by"] = actor.origin
    return ctx


async def authorised(ctx: Context, rule: Mapping[str, Any], path: Mapping[str, Any]) -> Context:
    """The Context in which its actor may use a route of this declaration; `path` holds the path's parameters.

    :raises NotAuthenticated, PermissionDenied, NotFound: the actor may not.
    """
    if ctx.actor.via and "permission" not in rule and not (rule.get("sso") or rule.get("access") == "public"):
        raise PermissionDenied("Your company's sign-in opens its own tenant alone; sign in with your own password")
    if rule.get("access") in ("public", "known"):
        return ctx
    if "platform" in rule:
        return await tenants.authorise_platform(ctx, rule["platform"])
    if "permission" in rule:
        return await tenants.authorise(ctx, path["tenant"], rule["permission"])
    if rule["access"] == "session":
        return _only_session(ctx)
    return in_person(_only_session(ctx))


def in_person(ctx: Context) -> Context:
    """:raises ImpersonationForbids: somebody acts as the person."""
    if ctx.actor.impersonator:
        raise ImpersonationForbids("Only the person can do this; end the impersonation first")
    return ctx


def check_declared(handler: HTTPRouteHandler) -> None:
    """Refuse to start with a route that does not say who may use it."""
    declared = [name for name in ("access", "permission", "platform") if name in handler.opt]
    assert len(declared) == 1, f"{handler} must declare one of access, permission and platform"
    assert handler.operation_id, f"{handler} must name its operation"


async def _actor(request: Request[Any, Any, Any], parts: Parts, address: str) -> Actor:
    if token := bearer(request.scope["headers"]):
        is_program = token.startswith("vf_")
        actor = await (
            tenants.authenticate_api_key(parts, token, address)
            if is_program
            else _person(request, parts, token, address)
        )
        return msgspec.structs.replace(actor, origin=elsewhere(request.scope["headers"]))
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        raise NotAuthenticated("Sign in, or send a token: Authorization: Bearer …")
    require_same_origin(request)
    return await _person(request, parts, cookie, address)


async def _person(request: Request[Any, Any, Any], parts: Parts, token: str, address: str) -> Actor:
    person = await users.authenticate(parts, token)
    request.scope["state"]["person"] = person
    return person.actor(address)


def require_same_origin(request: Request[Any, Any, Any]) -> None:
    """Refuse a change that another site's page made the browser send (Fetch Metadata; Origin where it is missing).

    :raises PermissionDenied: the request comes from elsewhere.
    """
    if request.method not in UNSAFE:
        return
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin", "")
    same = site in ("same-origin", "none") if site else origin.partition("://")[2] == request.headers.get("host")
    if not same:
        raise PermissionDenied("This request came from another site; open the console itself and repeat")


def _only_session(ctx: Context) -> Context:
    if not ctx.actor.person:
        raise NotAuthenticated("This needs a person's session, not a key")
    return ctx
