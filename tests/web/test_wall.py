"""The wall between tenants: whatever the OpenAPI document has of a tenant is, to everybody else, not there."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx2
import pytest

from tests import customers
from tests.web.scene import Scene, problem, unchanged
from veloflux import tenants
from veloflux.context import Context
from veloflux.tenants import ROLES
from veloflux.web import app


class Route(NamedTuple):
    """A route of a tenant; `body` is one that fits, as far as examples tell."""

    method: str
    path: str
    body: Any
    permission: str

    def of(self, tenant: str, ids: Mapping[str, str]) -> str:
        return self.path.format(**{"tenant": tenant, **ids})

    @property
    def is_of_a_thing(self) -> bool:
        return self.path.count("{") > 1


@pytest.fixture
async def acmes(scene: Scene) -> dict[str, str]:
    """Ids of what Acme has, by the names of the path's parameters."""
    invited = await tenants.invite(scene.acme, "eve@example.com", "viewer")
    role = await tenants.create_role(scene.acme, "night_watch", ["usage:read"])
    members = (await tenants.list_members(scene.acme)).items
    return {
        "key": (await customers.key(scene.acme)).key.id,
        "invitation": invited.id,
        "role": role.name,
        "user": next(member.id for member in members if member.role == "member"),
    }


async def routes(http: httpx2.AsyncClient) -> list[Route]:
    """All routes that the document has of a tenant."""
    document = (await http.get("/api/schema")).json()
    declared = {handler.operation_id: handler.opt["permission"] for handler in app.API if "permission" in handler.opt}
    found = [
        Route(
            method.upper(),
            path,
            _body(operation.get("requestBody"), document["components"]["schemas"]),
            declared[operation["operationId"]],
        )
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if "{tenant}" in path
    ]
    assert len(found) > 10
    return found


def _body(asked: Any, shapes: dict[str, Any]) -> Any:
    if asked is None:
        return None
    shape = shapes[asked["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]]
    fields = {name: shape["properties"][name] for name in shape["required"]}
    return {name: (field.get("examples") or field["enum"])[0] for name, field in fields.items()}


class Asking(NamedTuple):
    """Asks routes as somebody."""

    http: httpx2.AsyncClient
    ids: dict[str, str]
    headers: dict[str, str]

    async def __call__(self, route: Route, tenant: str) -> httpx2.Response:
        path = route.of(tenant, self.ids)
        return await self.http.request(route.method, path, json=route.body, headers=self.headers)

    async def told(self, route: Route, tenant: str, status: int) -> tuple[dict[str, Any], dict[str, str]]:
        """Body and headers of a refusal, without what differs from request to request and the tenant's name."""
        answer = await self(route, tenant)
        problem(answer, status, of=(route, tenant))
        body = answer.json() | {"request_id": "", "detail": answer.json()["detail"].replace(repr(tenant), "")}
        moving = ("x-request-id", "date", "content-length")
        return body, {name: value for name, value in answer.headers.items() if name not in moving}


async def test_who_is_unknown_learns_nothing_of_any_tenant(
    http: httpx2.AsyncClient, scene: Scene, acmes: dict[str, str], one_ctx: Context
) -> None:
    ask = Asking(http, acmes, {})
    async with unchanged(one_ctx):
        for route in await routes(http):
            assert await ask.told(route, "acme", 401) == await ask.told(route, "nobodys", 401)


async def test_to_another_tenants_owner_and_keys_a_tenant_is_as_if_it_were_not_there(
    http: httpx2.AsyncClient, scene: Scene, acmes: dict[str, str], one_ctx: Context
) -> None:
    async with unchanged(one_ctx):
        for actor in ("carol", "key of Globex", "key"):
            ask = Asking(http, acmes, scene.headers(actor))
            for route in await routes(http):
                absent = await ask.told(route, "nobodys", 404)
                assert absent == await ask.told(route, "acme", 404) == await ask.told(route, scene.acme.tenant, 404)


async def test_through_ones_own_tenant_another_tenants_things_are_not_reached(
    http: httpx2.AsyncClient, scene: Scene, acmes: dict[str, str], one_ctx: Context
) -> None:
    ask = Asking(http, acmes, scene.headers("carol"))
    of_things = [route for route in await routes(http) if route.is_of_a_thing]
    assert {name for route in of_things for name in acmes if f"{{{name}}}" in route.path} == acmes.keys()
    async with unchanged(one_ctx):
        for route in of_things:
            problem(await ask(route, "globex"), 404, of=route)


async def test_to_its_owner_and_to_the_operator_a_tenant_is_there(
    http: httpx2.AsyncClient, scene: Scene, acmes: dict[str, str]
) -> None:
    for actor, role in (("alice", "owner"), ("olivia", "operator")):
        ask = Asking(http, acmes, scene.headers(actor))
        for number, route in enumerate(await routes(http)):
            own = {"name": f"{role} {number}"}  # what one route does to a tenant is not in the way of the next
            slug = (await http.post("/api/tenants", json=own, headers=scene.headers("alice"))).json()["slug"]
            answer = await ask(route, slug)
            if route.permission not in ROLES[role]:
                problem(answer, 403, "permission_denied", of=route)
            else:
                assert route.is_of_a_thing or answer.status_code not in (401, 403, 404), (route, answer.text)
