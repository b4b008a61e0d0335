"""Two tenants that have one of everything, who knocks at the wall between them, and what must not come through it."""

import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from typing import cast as typed

import httpx2
import msgspec
from litestar import Litestar

from tests import at_rest, cast, conftest, customers, image
from tests.image import Image
from tests.tenants.lying_provider import SECRET, LyingProvider, lying
from tests.tenants.signing_in import terms
from tests.wall.factories import Side
from tests.wall.routes import Part, Route, routes
from veloflux import identity, tenants, users
from veloflux.billing import FiscalFake
from veloflux.context import PLATFORM, Actor, Context
from veloflux.db import keys
from veloflux.db.client import Db
from veloflux.kit import clock
from veloflux.tenants import PERMISSIONS, ROLES, KeyTerms
from veloflux.web import access, app, raw
from veloflux.web.application import Application, Handler

SAME_SITE = {"sec-fetch-site": "same-origin"}
SHORTEST = 5
"""Shorter texts than this are found by chance."""


class World(NamedTuple):
    """Alice owns Acme, whose things the tests are after; carol owns Globex; nina is in both and has come by Globex's
    provider; sam is of the support. `tokens` by who has them: people's sessions, keys, and what no longer is one.
    `values` by side and factory: one thing of each kind.
    """

    ctx: Context
    http: httpx2.AsyncClient
    routes: list[Route]
    acme: Side
    globex: Side
    tokens: dict[str, str]
    limited: dict[str, str]
    values: dict[str, dict[object, str]]
    acmes_people: frozenset[str]
    planted: frozenset[str]
    image: Image

    def __repr__(self) -> str:
        return "the wall's world"

    def of(self, side: Side, route: Route) -> dict[Part, str]:
        """What a route is asked with on a side."""
        found = self.values[side.name]
        return {part: part.factory if isinstance(part.factory, str) else found[part.factory] for part in route.parts}

    def owners_values(self, route: Route) -> dict[Part, str]:
        """As `of` Acme, without the cursor of another list."""
        return {part: value for part, value in self.of(self.acme, route).items() if part.name != "cursor"}

    def headers(self, who: str, route: Route) -> dict[str, str]:
        """How somebody asks: programs by a token, people's browsers by a cookie."""
        token = self.tokens.get(who) or self.limited.get(who, "")
        if route.is_page:
            return SAME_SITE | ({"cookie": f"{access.COOKIE}={token}"} if token else {})
        return {"authorization": f"Bearer {token}"} if token else {}

    async def ask(self, who: str, route: Route, values: dict[Part, str]) -> httpx2.Response:
        return await self.http.request(**route.request(values), headers=self.headers(who, route))

    def told(self, answer: httpx2.Response, sent: Iterable[str]) -> list[str]:
        """What an answer, or its headers, has of Acme and did not have from the request."""
        text = answer.text + repr(answer.headers)
        return sorted(one for one in self.planted if one in text and not any(one in mine for mine in sent))


@asynccontextmanager
async def assemble(db: Db, folder: Path) -> AsyncIterator[World]:
    """All of it, on an empty database; the web server runs in this process, so that its database can be watched."""
    parts = conftest.parts_on(db, folder)
    patient = msgspec.structs.replace(
        parts.settings, check_timeout_ms=20_000, oidc_private_networks=True, session_pace="1000000/s"
    )
    parts = msgspec.structs.replace(parts, settings=patient, fiscal=FiscalFake(db))
    ctx = Context(parts=parts, actor=Actor(id="cli:test"))
    routed = app.litestar(patient)
    routed.state.parts = parts
    transport = httpx2.ASGITransport(application(routed), raise_app_exceptions=False)  # type: ignore[arg-type]
    browser = httpx2.AsyncClient(transport=transport, base_url="http://localhost:8080")
    with lying() as provider:
        async with browser as http:
            yield await _populated(ctx, http, routes(routed), provider)


def application(routed: Litestar) -> Application:
    """As veloflux.web.app makes it, on parts that are there already."""
    served = {route: raw.serve(operation, core, routed.state) for route, (operation, core) in app.RAW.items()}
    return Application(typed(Handler, routed), served, routed.state.settings)


async def _populated(ctx: Context, http: httpx2.AsyncClient, found: list[Route], provider: LyingProvider) -> World:
    alice, carol = await cast.person(ctx, "alice"), await cast.person(ctx, "carol")
    await cast.operator(ctx)
    await cast.person(ctx, "mallory")
    acme, globex = await _side(alice, "alice", "Anvils of Acme"), await _side(carol, "carol", "Globex Globes")
    vera = await cast.person(ctx, "vera")
    await cast.join(acme.inside, vera, "viewer")
    for side in (acme, globex):
        await tenants.set_oidc(side.inside, terms(provider), SECRET)
    nina = await cast.person(ctx, "nina")
    for side in (acme, globex):
        await cast.join(side.inside, nina, "admin")
    acting = await _acting(ctx, acme, globex, nina)
    factories = {part.factory for route in found for part in route.parts if callable(part.factory)}
    values = {
        side.name: {factory: await factory(side) for factory in sorted(factories, key=lambda one: one.__name__)}
        for side in (acme, globex)
    }
    tokens = {who: await _token(ctx, who) for who in ("alice", "carol", "vera", "mallory", "olivia")}
    tokens |= {"stranger": ""} | acting | await _keys(acme, globex) | await _over(ctx, acme)
    limited = {
        f"key without {permission}": await _key(acme, permissions=tuple(sorted(ROLES["owner"] - {permission})))
        for permission in sorted(PERMISSIONS)
    }
    people = frozenset({alice.actor.person, acme.member, vera.actor.person, nina.actor.person})
    planted = _planted(acme, people - {nina.actor.person}, values)
    await at_rest.reach(ctx.parts)
    return World(ctx, http, found, acme, globex, tokens, limited, values, people, planted, await image.take(ctx.db))


async def _side(owner: Context, name: str, tenant_name: str) -> Side:
    tenant = await tenants.create_tenant(owner, tenant_name, mode="sandbox")
    inside = await tenants.authorise(owner, tenant.id, "tenant:read")
    member = await cast.person(owner, f"member-of-{name}")
    await cast.join(inside, member, "member")
    return Side(name, tenant, inside, member.actor.person)


async def _acting(ctx: Context, acme: Side, globex: Side, nina: Context) -> dict[str, str]:
    """Sessions that are less than their people's own."""
    sam = await cast.operator(ctx, "sam")
    ruling = ctx.within(tenants.scope_of(await tenants.find(ctx, PLATFORM)), ROLES["operator"])
    await tenants.set_member_role(ruling, sam.actor.person, "support")
    supporting = await tenants.authorise_platform(sam, "users:impersonate")
    came = await identity.start_via(nina, await identity.read_user(ctx.db, nina.actor.person), globex.tenant.id)
    return {
        "support": await _token(ctx, "sam"),
        "support as a member of Acme": (await users.impersonate(supporting, acme.member, "Ticket 1")).token,
        "support as a member of Globex": (await users.impersonate(supporting, globex.member, "Ticket 2")).token,
        "member of Acme": await _token(ctx, "member-of-alice"),
        "nina, by Globex's provider": came.token,
    }


async def _keys(acme: Side, globex: Side) -> dict[str, str]:
    expired, revoked = await customers.key(acme.inside, "owner"), await customers.key(acme.inside, "owner")
    await customers.expire(acme.inside, expired)
    await tenants.revoke_api_key(acme.inside, revoked.key.id)
    return {
        "key of Acme": await _key(acme),
        "key of Globex": await _key(globex),
        "publishable key of Globex": (
            await tenants.create_api_key(globex.inside, "page", "", KeyTerms(), "publishable")
        ).token,
        "expired key": expired.token,
        "revoked key": revoked.token,
    }


async def _key(side: Side, **terms: tuple[str, ...]) -> str:
    return (await tenants.create_api_key(side.inside, "of the wall", "owner", KeyTerms(**terms))).token


async def _over(ctx: Context, acme: Side) -> dict[str, str]:
    """Sessions of Acme's owner that are no more."""
    ended, expired = [await identity.log_in(cast.fresh(ctx), cast.email(acme.name), cast.PASSWORD) for _ in range(2)]
    await identity.log_out(cast.acting(ctx, ended))
    session = keys.session(expired.person.id, expired.person.session)
    await ctx.db.call("HSET", session, "ends_at", clock.now_ms() - 1)
    return {"revoked session": ended.token, "expired session": expired.token}


async def _token(ctx: Context, name: str) -> str:
    return (await identity.log_in(cast.fresh(ctx), cast.email(name), cast.PASSWORD)).token


def _planted(acme: Side, people: frozenset[str], values: dict[str, dict[object, str]]) -> frozenset[str]:
    """Names, addresses and ids of Acme's that nobody else has."""
    others = set(values["carol"].values())
    texts = {*values["alice"].values(), *people, acme.tenant.id, acme.tenant.slug, acme.tenant.name}
    texts |= {cast.email(name) for name in ("alice", "vera", "member-of-alice")}
    return frozenset(text for text in texts - others if len(text) >= SHORTEST)


def owner_of(key: str) -> str:
    """Whose key this is, by its braces; "" is nobody's."""
    found = re.search(r"\{(\w+)}", key)
    return found[1] if found and "_" in found[1] else ""
