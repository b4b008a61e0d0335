"""Asking for another tenant's things takes the same commands in as many round trips as asking for what nobody has."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests import tape
from tests.wall.routes import Part, Route, asking_in_globex
from tests.wall.world import World
from veloflux.kit import ids

pytestmark = pytest.mark.asyncio(loop_scope="package")


class Asked(NamedTuple):
    """What an answer cost: its status, the commands or scripts in order, and the round trips."""

    status: int
    commands: list[str]
    waves: int


def pairs(world: World, route: Route) -> Iterator[tuple[dict[Part, str], dict[Part, str]]]:
    """What is Acme's, and what nobody has."""
    own, acmes = world.of(world.globex, route), world.of(world.acme, route)
    for part, value in acmes.items():
        if part.place != "path" and route.rule != "key":
            continue
        if part.name == "tenant":
            yield acmes, acmes | {part: "anvils-of-nobody"}
            yield acmes | {part: world.acme.tenant.id}, acmes | {part: ids.new("ten")}
        elif "_" in value:
            yield own | {part: value}, own | {part: of_nobody(value)}


def of_nobody(value: str) -> str:
    """An id of the same form.

    >>> of_nobody("rsv_01jd8x3k2m.requests").partition(".")[1:]
    ('.', 'requests')
    """
    kind, _, rest = value.partition("_")
    return ids.new(kind) + "".join(rest.partition(".")[1:])


async def asked(world: World, route: Route, values: dict[Part, str]) -> Asked:
    named = next((value for part, value in values.items() if part.name == "tenant"), "")
    who = asking_in_globex(route) if route.rule == "key" or named == world.globex.tenant.slug else "carol"
    await world.ask(who, route, values)  # once before: scripts are loaded, and what can be remembered is
    with tape.taped(world.ctx.db) as heard:
        answer = await world.ask(who, route, values)
    return Asked(
        answer.status_code, [" ".join(one[:2][: 1 + (one[0] == "EVALSHA")]) for one in heard.commands], heard.waves
    )


async def test_the_wrong_tenant_and_none_at_all_take_the_same(world: World) -> None:
    problems, compared = [], 0
    for route in world.routes:
        if not route.is_tenants and route.rule not in ("key", "person", "session"):
            continue
        if not route.changes:
            await world.ask("alice", route, world.owners_values(route))  # who is let in finds a slug sooner then
        for theirs, nobodys in pairs(world, route):
            compared += 1
            found, absent = await asked(world, route, theirs), await asked(world, route, nobodys)
            if found != absent or found.status != 404:
                problems.append(f"{route} with {list(theirs.values())}: {found}, but {absent} of nobody's")
    assert compared > 60
    assert problems == [], "\n".join(problems)
