"""The wall between tenants: whatever the API and the console have of a tenant is, to everybody else, not there."""

import re
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import httpx2
import pytest

from tests import at_rest, image
from tests.wall.factories import OF_SOMEBODY_ELSE, WITHOUT_OWNER
from tests.wall.routes import Part, Route, asking_in_globex
from tests.wall.world import SHORTEST, World, owner_of
from veloflux.context import PLATFORM
from veloflux.db import keys
from veloflux.tenants import ROLES
from veloflux.web import access, app

pytestmark = pytest.mark.asyncio(loop_scope="package")

OVER = ("stranger", "expired session", "revoked session", "expired key", "revoked key")
ACTING = ("support as a member of Globex", "nina, by Globex's provider")
"""Sessions that are less than their people's own; nina herself is in Acme too."""
HAVE = {"vera": "viewer", "alice": "owner", "support": "support"}
"""The roles of some in Acme; that of the support counts in every tenant."""
REFUSED = frozenset({400, 401, 403, 404, 409})
HOLD_IDS = [
    re.compile(re.sub("<[^>]*>", "[^:]+", entry.pattern.replace("{", "\\{").replace("}", "\\}")))
    for entry in keys.registry()
    if entry.name
    in (
        "due",
        "jobs_dead",
        "name",
        "near_limits",
        "near_limits_ends",
        "tenants",
        "tenants_archived",
        "user_tenants",
        "users",
    )
]
HOLD_IDS.append(re.compile(re.escape(keys.events(PLATFORM))))
"""The keys of nobody, of a person or of the platform that may hold ids of a tenant and of its people: lists, who has a
name, and what operators did.
"""
ID = re.compile(r"[a-z]{2,4}_[0-9a-z]{26}$")
OF_NO_TENANT = {"/api/schema", "/healthz", "/metrics", "/readyz", "/static/{}"}
"""What the process tells of itself, and files that are the same for everybody."""
MADE_UP = "0123456789abcdefghjkmnpqrs.0123456789abcdefghjkmnpqrstvwxyz"


class Attempt(NamedTuple):
    """Somebody asks for something, and what may be answered."""

    who: str
    route: Route
    values: dict[Part, str]
    allowed: frozenset[int]


def attempts(world: World, route: Route) -> Iterator[Attempt]:
    """All that those do who may not, with the ids of Acme."""
    aims = world.of(world.acme, route)
    if route.rule == "public":
        return
    for who in OVER:
        yield Attempt(who, route, aims, frozenset({401}))
    if not route.is_page and route.operation != "events.record":
        yield Attempt("publishable key of Globex", route, aims, frozenset({401}))
    yield from _by_less_than_themselves(route, aims)
    yield from _without_permission(route, aims)
    if route.of_platform:
        return
    if route.is_tenants:
        for tenant in (world.acme.tenant.slug, world.acme.tenant.id):
            named = {part: tenant if part.name == "tenant" else value for part, value in aims.items()}
            for who in ("carol", "key of Globex", *ACTING):
                yield Attempt(who, route, named, frozenset({404}))
    if route.rule in ("person", "session") and not route.is_page:
        yield Attempt("key of Globex", route, aims, frozenset({401}))
    yield from _one_foreign_id(world, route)


def _by_less_than_themselves(route: Route, aims: dict[Part, str]) -> Iterator[Attempt]:
    """Who acts as somebody else, and who came by a tenant's provider, at routes that are about people."""
    acting, by_provider = ACTING
    if route.is_tenants or route.rule == "key":
        return
    if route.of_platform or route.rule == "person":
        yield Attempt(acting, route, aims, frozenset({403}))
    if not route.sso:
        yield Attempt(by_provider, route, aims, frozenset({403}))
    elif not route.changes:
        yield Attempt(by_provider, route, aims, frozenset({200, 303}))


def _without_permission(route: Route, aims: dict[Part, str]) -> Iterator[Attempt]:
    lacking = [who for who, role in HAVE.items() if route.rule not in ROLES[role]]
    if route.of_platform:
        lacking += ["carol", "key of Acme", "key of Globex"]
    elif route.is_tenants:
        lacking.append(f"key without {route.rule}")
    else:
        return
    for who in lacking:
        yield Attempt(who, route, aims, frozenset({403}))


def _one_foreign_id(world: World, route: Route) -> Iterator[Attempt]:
    """All is of Globex but one, which is Acme's. What reads may ignore it; nothing may find it."""
    own = world.of(world.globex, route)
    who = asking_in_globex(route)
    if who == "olivia" and route.is_page:  # whose pages name every tenant; test_round_trips asks for her
        return
    for part, value in world.of(world.acme, route).items():
        if (part.place == "path" and part.name in ("tenant", "token")) or own[part] == value:
            continue  # above; and who has a link has what it shows
        strict = frozenset({404}) if part.place == "path" else REFUSED
        yield Attempt(who, route, own | {part: value}, strict if route.changes else strict | {200})
    if not route.changes:
        yield Attempt(who, route, own, frozenset({200, 303, 400}))


async def wrongs(world: World, attempt: Attempt) -> list[str]:
    answer = await world.ask(attempt.who, attempt.route, attempt.values)
    sent = attempt.values.values()
    found = [*_cached(answer), *(f"tells {told!r}" for told in world.told(answer, sent))]
    is_no_use = attempt.route.is_page and "key" in attempt.who  # the console takes nobody's key
    allowed = frozenset({401}) if is_no_use else attempt.allowed
    if status_of(attempt.route, answer) not in allowed:
        found.append(f"is answered {answer.status_code}, not {sorted(allowed)}: {answer.text[:200]}")
    return [f"{attempt.route} for {attempt.who} with {list(sent)} {wrong}" for wrong in found]


def status_of(route: Route, answer: httpx2.Response) -> int:
    """The console sends whoever must sign in to the page for that, which is its 401."""
    to = answer.headers.get("location", answer.headers.get("hx-redirect", ""))
    return 401 if route.is_page and to.startswith("/console/sign-in?next=") else answer.status_code


def _cached(answer: httpx2.Response) -> list[str]:
    control, vary = answer.headers.get("cache-control", ""), answer.headers.get("vary", "").lower()
    by_who = "cookie" in vary and "authorization" in vary
    is_safe = "no-store" in control or ("private" in control and by_who)
    return [] if is_safe else [f"may be kept and shown to others: cache-control {control!r}, vary {vary!r}"]


@asynccontextmanager
async def nothing_written(world: World) -> AsyncIterator[None]:
    before = (await image.take(world.ctx.db)).settled
    yield
    after = (await image.take(world.ctx.db)).settled
    assert image.differences(before, after) == [], "somebody wrote who may not"


async def test_who_may_not_is_refused_learns_nothing_and_writes_nothing(world: World) -> None:
    found = [attempt for route in world.routes for attempt in attempts(world, route)]
    assert len(found) > 500
    async with nothing_written(world):
        problems = [wrong for attempt in found for wrong in await wrongs(world, attempt)]
        assert problems == [], "\n".join(problems)


def entitled(route: Route) -> str:
    """Who may use a route, of those that there are."""
    if other := OF_SOMEBODY_ELSE.get(route.operation):
        return other
    if route.is_tenants:
        return "alice" if route.rule in ROLES["owner"] else "olivia"
    if route.of_platform:
        return "olivia"
    return {"public": "stranger", "key": "key of Acme"}.get(route.rule, "alice")


async def test_who_may_gets_what_the_others_did_not_and_leaves_it_in_the_tenants_own_slot(world: World) -> None:
    problems = []
    for route in world.routes:
        if route.operation in WITHOUT_OWNER:
            continue
        values = world.owners_values(route)
        answer = await world.ask(entitled(route), route, values)
        found = _cached(answer)
        if status_of(route, answer) >= 400 and answer.status_code != 409:
            found.append(f"is answered {answer.status_code}: {answer.text[:300]}")
        if route.changes:
            found += await strayed(world, route)
            await image.put_back(world.ctx.db, world.image)
        problems += [f"{route} for {entitled(route)} with {list(values.values())} {wrong}" for wrong in found]
    assert problems == [], "\n".join(problems)


async def strayed(world: World, route: Route) -> list[str]:
    """What of Acme, or of what was sent to it, lies under others' keys or nobody's after a change and its effects."""
    await at_rest.reach(world.ctx.parts)
    sent = {text for text in (route.body or {}).values() if isinstance(text, str) and len(text) >= SHORTEST}
    texts = world.planted | (sent if route.is_tenants else set())
    now = await image.values(world.ctx.db)
    changed = {key: value for key, value in now.items() if world.image.values.get(key) != value}
    return misplaced(world, changed, texts)


def misplaced(world: World, values: dict[str, str], texts: Iterable[str]) -> list[str]:
    """Where Acme's texts are found though the key is not of Acme or its people; ids may be in what is declared."""
    own = {world.acme.tenant.id, *world.acmes_people}
    found = []
    for key, value in values.items():
        if (owner := owner_of(key)) not in own and key != keys.users_search():  # of people, and operators' alone
            is_new = bool(owner) and not any(
                f"{{{owner}}}" in old for old in world.image.values
            )  # made by Acme's people
            holds_ids = is_new or any(pattern.fullmatch(key) for pattern in HOLD_IDS)
            here = [one for one in texts if (one in key or one in value) and not (holds_ids and ID.match(one))]
            found += [f"puts {one!r} into {key}" for one in here]
    return found


async def test_no_route_is_beside_the_wall(world: World) -> None:
    tried = {re.sub(r"{[^}]*}", "{}", route.path) for route in world.routes}
    known = {re.sub(r"{[^}]*}", "{}", route.path) for route in app.litestar(world.ctx.settings).routes}
    beside = known - tried - {"/api/unused/{}"}
    answers = {path: (await world.http.get(path)).status_code for path in beside}
    open_ = {path for path, status in answers.items() if path in OF_NO_TENANT or status != 404}
    assert open_ == OF_NO_TENANT, "what is public goes into OF_NO_TENANT; all else into the document or the console"


async def test_what_acme_has_lies_in_acmes_slot_alone(world: World) -> None:
    assert misplaced(world, world.image.values, world.planted) == []
    assert misplaced(world, {"vf:name:slug:0": repr(world.acme.tenant.name)}, world.planted), "this can fail"


async def test_a_change_that_another_sites_page_sent_is_refused_and_writes_nothing(world: World) -> None:
    elsewhere = (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {},
    )
    problems = []
    async with nothing_written(world):
        for route in world.routes:
            if not route.changes or route.rule == "key" or (route.rule == "public" and not route.is_page):
                continue  # these do not look at cookies
            cookie = {"cookie": f"{access.COOKIE}={world.tokens[entitled(route)]}"}
            for headers in elsewhere:
                request = route.request(world.owners_values(route))
                answer = await world.http.request(**request, headers=cookie | headers)
                if answer.status_code != 403 or "set-cookie" in answer.headers:
                    problems.append(f"{route} with {headers} is answered {answer.status_code}")
        assert problems == [], "\n".join(problems)


async def test_a_cookie_that_was_there_before_is_never_adopted_nor_looked_at_where_anybody_may_ask(
    world: World,
) -> None:
    problems = []
    for route in world.routes:
        if route.rule != "public" or not route.changes:
            continue
        for planted in (MADE_UP, world.tokens["carol"]):
            request = route.request(world.owners_values(route))
            headers = {"cookie": f"{access.COOKIE}={planted}", "sec-fetch-site": "same-origin"}
            answer = await world.http.request(**request, headers=headers)
            if planted in answer.headers.get("set-cookie", ""):
                problems.append(f"{route} hands out the session that was planted")
            if not route.is_page and "set-cookie" in answer.headers:
                problems.append(f"{route} of the API sets a cookie")
            await image.put_back(world.ctx.db, world.image)
    assert problems == [], "\n".join(problems)
