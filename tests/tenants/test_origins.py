"""The origins whose pages may use a tenant's keys."""

import asyncio
from typing import NamedTuple

import msgspec
import pytest

from tests import cast, customers
from tests.identity.calls import calls_of
from veloflux import tenants
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import InputInvalid, NotFound, OriginRefused

APP, OTHER = "https://app.example", "https://other.example"


class Box(NamedTuple):
    """A tenant that lists APP, and its key as a page of an origin sends it."""

    inside: Context
    key: Context

    def from_(self, origin: str) -> Context:
        return self.key.acting(msgspec.structs.replace(self.key.actor, origin=origin))


async def box(ctx: Context, name: str = "Box", listed: str = APP) -> Box:
    inside = await customers.customer(ctx, name)
    await tenants.set_origins(inside, [listed])
    new = await customers.key(inside, "admin")
    return Box(inside, ctx.acting(await tenants.authenticate_api_key(ctx.parts, new.token)))


async def test_only_pages_of_a_listed_origin_may_from_the_next_request_on(ctx: Context) -> None:
    mine = await box(ctx)
    for origin in ("", APP):
        assert await tenants.authorise(mine.from_(origin), mine.inside.tenant, "usage:write")
    for origin in (OTHER, "null", "https://app.example.evil", "http://app.example", "https://app.example:8443"):
        with pytest.raises(OriginRefused):
            await tenants.authorise(mine.from_(origin), mine.inside.tenant, "usage:write")
    await tenants.set_origins(mine.inside, [])
    with pytest.raises(OriginRefused):
        await tenants.authorise(mine.from_(APP), mine.inside.tenant, "usage:write")


async def test_what_another_tenant_lists_counts_for_its_own_keys_alone(ctx: Context) -> None:
    mine, theirs = await box(ctx), await box(ctx, "Globex", OTHER)
    for origin in (APP, OTHER):
        with pytest.raises(NotFound):
            await tenants.authorise(mine.from_(origin), theirs.inside.tenant, "usage:write")
    service = await tenants.authenticate_api_key(ctx.parts, await customers.service_key(ctx))
    paged = ctx.acting(msgspec.structs.replace(service, origin=APP))
    with pytest.raises(OriginRefused):
        await tenants.authorise(paged, mine.inside.tenant, "usage:write")


async def test_no_page_has_the_session_of_a_person(ctx: Context) -> None:
    members = await cast.assemble(ctx)
    await tenants.set_origins(await cast.within(members.alice, members.acme), [APP])
    paged = members.alice.acting(msgspec.structs.replace(members.alice.actor, origin=APP))
    with pytest.raises(OriginRefused):
        await tenants.authorise(paged, members.acme.id, "tenant:read")


async def test_a_page_costs_no_round_trip(one_ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = await box(one_ctx)
    asked = []
    for origin in ("", APP):
        with calls_of(one_ctx, monkeypatch) as sent:
            await tenants.authorise(mine.from_(origin), mine.inside.tenant, "usage:write")
        asked.append(sent)
    assert asked[0] == asked[1]


async def test_a_list_that_is_wrong_changes_nothing_and_of_two_at_once_one_is_last(ctx: Context) -> None:
    mine = await box(ctx)
    for wrong in (["*"], ["http://app.example"], [f"https://a{n}.example" for n in range(21)]):
        with pytest.raises(InputInvalid):
            await tenants.set_origins(mine.inside, wrong)
    assert (await tenants.find(ctx, mine.inside.tenant)).origins == (APP,)
    both = await asyncio.gather(*(tenants.set_origins(mine.inside, [one]) for one in (OTHER, "http://localhost:1")))
    last = await tenants.find(ctx, mine.inside.tenant)
    assert last in both
    assert last.version == 1 + min(one.version for one in both)


async def test_the_trail_seals_the_list(ctx: Context) -> None:
    mine = await box(ctx)
    stream = await ctx.db.call("XREVRANGE", keys.events(mine.inside.tenant), "+", "-")
    assert "tenant.origins_set" in str(stream)
    assert APP not in str(stream)
