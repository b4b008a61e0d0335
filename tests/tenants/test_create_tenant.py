import asyncio

import pytest

from tests import cast
from veloflux import plans, tenants
from veloflux.context import PLATFORM, Actor, Context
from veloflux.db import keys, streams
from veloflux.errors import InputInvalid, NameTaken, NotFound, PermissionDenied
from veloflux.tenants import Tenant, store


async def test_a_tenant_is_found_by_slug_and_by_id_with_what_it_was_made_of(ctx: Context) -> None:
    made = await tenants.create_tenant(
        ctx, " Padaria  São João ", plan="pro", zone="UTC", currency="USD", language="en", mode="sandbox"
    )
    for ref in (made.id, "padaria-sao-joao"):
        assert await tenants.find(ctx, ref) == made
    assert (made.name, made.zone, made.currency, made.language, made.mode) == (
        "Padaria São João",
        "UTC",
        "USD",
        "en",
        "sandbox",
    )


async def test_of_many_who_want_one_slug_at_the_same_time_one_gets_it(ctx: Context) -> None:
    wanted = [tenants.create_tenant(ctx, f"Acme {number}", slug="acme") for number in range(8)]
    ended = await asyncio.gather(*wanted, return_exceptions=True)
    [made] = [one for one in ended if isinstance(one, Tenant)]
    assert [type(one) for one in ended if one is not made] == [NameTaken] * 7
    assert await tenants.find(ctx, "acme") == made
    assert [one.id for one in (await tenants.list_tenants(ctx)).items] == [made.id]


async def test_a_person_who_creates_a_tenant_owns_it(ctx: Context) -> None:
    alice = await cast.person(ctx, "alice")
    made = await tenants.create_tenant(alice, "Acme")
    within = await tenants.authorise(alice, "acme", "owners:write")
    assert (within.tenant, within.permissions) == (made.id, tenants.ROLES["owner"])
    [entry] = (await tenants.list_members(within)).items
    assert (entry.id, entry.email, entry.role) == (alice.actor.person, "alice@example.com", "owner")


async def test_an_operator_and_a_command_create_tenants_without_becoming_members(ctx: Context) -> None:
    olivia = await cast.operator(ctx)
    for creator in (olivia, ctx):
        made = await tenants.create_tenant(creator, f"Of {creator.actor.id[:3]}", plan="enterprise")
        assert not await store.has_members(ctx.db, made.id)


async def test_a_person_begins_with_the_first_plan(ctx: Context) -> None:
    with pytest.raises(PermissionDenied):
        await tenants.create_tenant(await cast.person(ctx, "alice"), "Acme", plan="enterprise")


async def test_a_tenants_key_creates_no_tenant(one_ctx: Context) -> None:
    made = await tenants.create_tenant(one_ctx, "Acme")
    key = one_ctx.acting(Actor(id="key_1", tenant=made.id, role="owner"))
    with pytest.raises(PermissionDenied):
        await tenants.create_tenant(key, "Other")


async def test_a_new_tenant_has_the_policy_of_its_plan(ctx: Context) -> None:
    made = await tenants.create_tenant(ctx, "Acme", plan="pro")
    held = await ctx.db.call("HGET", keys.limits(made.id), "policy")
    assert plans.policy.from_text(held).plan == "pro"


@pytest.mark.parametrize(
    "wrong",
    [
        {"slug": "a"},
        {"slug": "-ab"},
        {"slug": "ab-"},
        {"slug": "Acme"},
        {"slug": "a" * 41},
        {"slug": "a_b"},
        {"slug": "a}b"},
        {"slug": "ação"},
        {"slug": "platform"},
        {"slug": "ten_0"},
        {"zone": "America/Sao Paulo"},
        {"zone": "../etc/passwd"},
        {"zone": ""},
        {"currency": "brl"},
        {"currency": "XYZ1"},
        {"plan": "gold"},
        {"name": ""},
        {"name": "x" * 121},
        {"name": "Ac\x07me"},
        {"name": "日本"},
    ],
    ids=str,
)
async def test_what_a_tenant_cannot_be_is_refused_and_leaves_nothing(one_ctx: Context, wrong: dict[str, str]) -> None:
    with pytest.raises(InputInvalid):
        await tenants.create_tenant(one_ctx, **({"name": "Acme"} | wrong))  # type: ignore[arg-type]
    assert await one_ctx.db.every_master("DBSIZE") == [0]


@pytest.mark.parametrize(
    "ref", ["", "nobody", "ten_", "ten_1", "ten_1}", "TEN_1", "usr_1", "a:b", "x" * 9_000, "\ud800"]
)
async def test_what_is_no_tenant_is_not_found(one_ctx: Context, ref: str) -> None:
    with pytest.raises(NotFound):
        await tenants.find(one_ctx, ref)


async def test_a_slug_that_another_document_carries_now_is_not_believed_from_memory(one_ctx: Context) -> None:
    made = await tenants.create_tenant(one_ctx, "Acme")
    await one_ctx.db.call("HSET", keys.tenant(made.id), "slug", "other")
    with pytest.raises(NotFound):
        await tenants.find(one_ctx, "acme")


async def test_the_platforms_tenant_is_made_when_first_needed_and_once(ctx: Context) -> None:
    found = await asyncio.gather(*(tenants.find(ctx, ref) for ref in ("platform", PLATFORM) * 5))
    assert len({tenant.created_at for tenant in found}) == 1
    [event] = await streams.after(ctx.db, PLATFORM, "", 10)
    await tenants.index_tenant(ctx, event, None)  # type: ignore[arg-type]
    assert (await tenants.list_tenants(ctx)).items == []


async def test_the_lists_follow_from_the_events_alone(ctx: Context) -> None:
    alice = await cast.person(ctx, "alice")
    made = await tenants.create_tenant(alice, "Acme")
    await ctx.db.call("DEL", keys.tenants())
    await ctx.db.call("DEL", keys.user_tenants(alice.actor.person))
    for event in await streams.after(ctx.db, made.id, "", 10):
        handler = {"tenant.created": tenants.index_tenant, "member.joined": tenants.follow_membership}[event.name]
        await handler(ctx, event, None)  # type: ignore[arg-type]
    assert [tenant.id for tenant in (await tenants.list_tenants(ctx)).items] == [made.id]
    assert [tenant.id for tenant in await tenants.tenants_of(ctx, alice.actor.person)] == [made.id]


async def test_people_list_their_own_tenants_and_operators_all(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    olivia = await cast.operator(ctx)
    lists = [await tenants.list_tenants(one) for one in (scene.alice, scene.bob, scene.carol, scene.stranger, olivia)]
    slugs = [sorted(tenant.slug for tenant in page.items) for page in lists]
    assert slugs == [["acme"], ["acme"], ["globex"], [], ["acme", "globex"]]


async def test_a_key_lists_its_own_tenant_and_a_service_key_all(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    operating = await tenants.authorise_platform(await cast.operator(ctx), "tenants:write")
    for within, slugs in ((await cast.within(scene.alice, scene.acme), ["acme"]), (operating, ["acme", "globex"])):
        token = (await tenants.create_api_key(within, "key")).token
        key = cast.fresh(ctx).acting(await tenants.authenticate_api_key(ctx.parts, token))
        assert sorted(tenant.slug for tenant in (await tenants.list_tenants(key)).items) == slugs


async def test_a_list_that_claims_a_membership_shows_nothing_that_the_tenant_does_not_confirm(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    await ctx.db.call("HSET", keys.user_tenants(scene.stranger.actor.person), scene.acme.id, "owner")
    assert (await tenants.list_tenants(scene.stranger)).items == []
