import asyncio

import pytest

from tests import cast
from tests.worker.working import nothing_due, until, working
from veloflux import tenants
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import Conflict, LastOwner, NotFound, PermissionDenied
from veloflux.worker import TABLES


async def test_members_are_listed_with_name_and_role_latest_first(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    page = await tenants.list_members(await cast.within(scene.bob, scene.acme))
    assert [(member.name, member.email, member.role) for member in page.items] == [
        ("Bob", "bob@example.com", "member"),
        ("Alice", "alice@example.com", "owner"),
    ]
    first = await tenants.list_members(await cast.within(scene.bob, scene.acme), limit=1)
    second = await tenants.list_members(await cast.within(scene.bob, scene.acme), first.next or "", limit=1)
    assert [*first.items, *second.items] == list(page.items)
    assert second.next is None


async def test_the_last_owner_cannot_be_removed(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    owning = await cast.within(scene.alice, scene.acme)
    with pytest.raises(Conflict, match="last owner"):
        await tenants.remove_member(owning, scene.alice.actor.person)
    await cast.join(owning, scene.stranger, "owner")
    await tenants.remove_member(owning, scene.alice.actor.person)
    with pytest.raises(NotFound):
        await cast.within(scene.alice, scene.acme)


async def test_of_owners_who_remove_each_other_at_the_same_time_one_remains(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    alice = await cast.within(scene.alice, scene.acme)
    for other in (scene.carol, scene.stranger):
        await cast.join(alice, other, "owner")
    people = [one.actor.person for one in (scene.alice, scene.carol, scene.stranger)]
    ended = await asyncio.gather(*(tenants.remove_member(alice, one) for one in people), return_exceptions=True)
    assert [type(one) for one in ended if one] == [LastOwner]
    members = await ctx.db.call("ZRANGE", keys.members(scene.acme.id), 0, -1)
    assert len(members) == 2
    assert await ctx.db.call("HGET", keys.tenant(scene.acme.id), "owners") == "1"


async def test_an_admin_removes_members_but_no_owner(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    await cast.join(await cast.within(scene.alice, scene.acme), scene.stranger, "admin")
    administering = await cast.within(scene.stranger, scene.acme, "members:write")
    await tenants.remove_member(administering, scene.bob.actor.person)
    with pytest.raises(PermissionDenied):
        await tenants.remove_member(administering, scene.alice.actor.person)


@pytest.mark.parametrize("user", ["", "usr_1", "ten_0", "usr_1}", "usr_" + "0" * 300])
async def test_whoever_is_no_member_is_not_found(one_ctx: Context, user: str) -> None:
    scene = await cast.assemble(one_ctx)
    for unknown in (user, scene.carol.actor.person):
        with pytest.raises(NotFound):
            await tenants.remove_member(await cast.within(scene.alice, scene.acme), unknown)


async def owners(ctx: Context, tenant: str) -> tuple[set[str], str]:
    """Who owns a tenant, and how many it counts."""
    users = await ctx.db.call("ZRANGE", keys.members(tenant), 0, -1)
    roles = [await ctx.db.call("HGET", keys.member(tenant, user), "role") for user in users]
    counted = await ctx.db.call("HGET", keys.tenant(tenant), "owners")
    return {user for user, role in zip(users, roles, strict=True) if role == "owner"}, counted


async def test_an_owner_hands_the_ownership_over_and_becomes_admin(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    alice, bob = scene.alice.actor.person, scene.bob.actor.person
    owning = await cast.within(scene.alice, scene.acme, "owners:write")
    assert (await tenants.transfer_ownership(owning, bob)).role == "owner"
    assert await owners(ctx, scene.acme.id) == ({bob}, "1")
    assert "owners:write" in (await cast.within(scene.bob, scene.acme)).permissions
    with pytest.raises(PermissionDenied):
        await tenants.authorise(scene.alice, "acme", "owners:write")
    with pytest.raises(PermissionDenied):
        await tenants.transfer_ownership(owning, bob)
    await tenants.remove_member(await cast.within(scene.bob, scene.acme), alice)


async def test_only_an_owner_in_person_hands_over_and_only_to_another_member(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    owning = await cast.within(scene.alice, scene.acme)
    for user in ("", "usr_1}", scene.carol.actor.person):
        with pytest.raises(NotFound):
            await tenants.transfer_ownership(owning, user)
    with pytest.raises(Conflict):
        await tenants.transfer_ownership(owning, scene.alice.actor.person)
    operator = await tenants.authorise(await cast.operator(ctx), "acme", "owners:write")
    with pytest.raises(PermissionDenied):
        await tenants.transfer_ownership(operator, scene.bob.actor.person)


async def test_of_two_transfers_at_the_same_time_one_happens(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    owning = await cast.within(scene.alice, scene.acme)
    await cast.join(owning, scene.stranger, "viewer")
    takers = [scene.bob.actor.person, scene.stranger.actor.person]
    ended = await asyncio.gather(*(tenants.transfer_ownership(owning, one) for one in takers), return_exceptions=True)
    assert [type(one) for one in ended].count(PermissionDenied) == 1
    [owner] = [one.id for one in ended if isinstance(one, tenants.Member)]
    assert await owners(ctx, scene.acme.id) == ({owner}, "1")


async def test_a_transfer_to_whoever_is_removed_at_the_same_time_leaves_one_owner(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    owning = await cast.within(scene.alice, scene.acme)
    alice, bob = scene.alice.actor.person, scene.bob.actor.person
    transferred, removed = await asyncio.gather(
        tenants.transfer_ownership(owning, bob), tenants.remove_member(owning, bob), return_exceptions=True
    )
    first = isinstance(transferred, tenants.Member)
    assert isinstance(transferred, NotFound) or isinstance(removed, Conflict)
    assert await owners(ctx, scene.acme.id) == ({bob if first else alice}, "1")


async def test_after_a_crash_the_worker_tells_both_persons_lists_of_a_transfer(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    owning = await cast.within(scene.alice, scene.acme)
    people = (scene.alice.actor.person, scene.bob.actor.person)
    before = [await ctx.db.call("HGET", keys.user_tenants(one), scene.acme.id) for one in people]
    await tenants.transfer_ownership(owning, people[1])
    for one, role in zip(people, before, strict=True):  # as if the process had died after its commit
        await ctx.db.call("HSET", keys.user_tenants(one), scene.acme.id, role)
    async with working(ctx.parts, TABLES):
        await until(lambda: nothing_due(ctx))
    assert [await ctx.db.call("HGET", keys.user_tenants(one), scene.acme.id) for one in people] == ["admin", "owner"]
