import asyncio

import pytest

from tests import cast
from veloflux import tenants
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import Conflict, NotFound, PermissionDenied


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
    assert [type(one) for one in ended if one] == [Conflict]
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
