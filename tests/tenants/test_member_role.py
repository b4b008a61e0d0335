"""A member gets another role; the platform's own are in test_platform_roles.py."""

import asyncio

import pytest

from tests import cast
from veloflux import tenants
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import Conflict, InputInvalid, LastOwner, NotFound, PermissionDenied


async def test_another_role_counts_from_the_next_request_and_for_custom_roles_too(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    owning, bob = await cast.within(scene.alice, scene.acme), scene.bob.actor.person
    assert (await tenants.set_member_role(owning, bob, "viewer")).role == "viewer"
    with pytest.raises(PermissionDenied):
        await cast.within(scene.bob, scene.acme, "usage:write")
    await tenants.create_role(owning, "night_watch", ["usage:read", "audit:read"])
    owning = await cast.within(scene.alice, scene.acme)
    await tenants.set_member_role(owning, bob, "night_watch")
    assert await cast.within(scene.bob, scene.acme, "audit:read")
    with pytest.raises(Conflict, match=bob):
        await tenants.delete_role(owning, "night_watch")
    await tenants.set_member_role(owning, bob, "member")
    await tenants.delete_role(owning, "night_watch")


async def test_the_last_owner_keeps_the_role_and_owners_are_counted(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    owning, alice, bob = await cast.within(scene.alice, scene.acme), scene.alice.actor.person, scene.bob.actor.person
    with pytest.raises(LastOwner, match="last owner"):
        await tenants.set_member_role(owning, alice, "admin")
    await tenants.set_member_role(owning, bob, "owner")
    assert await ctx.db.call("HGET", keys.tenant(scene.acme.id), "owners") == "2"
    assert (await tenants.set_member_role(owning, alice, "admin")).role == "admin"
    assert await ctx.db.call("HGET", keys.tenant(scene.acme.id), "owners") == "1"
    with pytest.raises(PermissionDenied):
        await tenants.set_member_role(owning, bob, "member")  # as the owner that alice is no longer


async def test_of_owners_who_demote_one_another_at_the_same_time_one_remains(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    alice, bob = scene.alice.actor.person, scene.bob.actor.person
    await tenants.set_member_role(await cast.within(scene.alice, scene.acme), bob, "owner")
    first, second = await cast.within(scene.alice, scene.acme), await cast.within(scene.bob, scene.acme)
    ended = await asyncio.gather(
        tenants.set_member_role(first, bob, "member"),
        tenants.set_member_role(second, alice, "member"),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in ended) == ["Member", "PermissionDenied"]
    assert await ctx.db.call("HGET", keys.tenant(scene.acme.id), "owners") == "1"


async def test_nobody_gives_or_takes_what_they_lack(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    alice, bob = scene.alice.actor.person, scene.bob.actor.person
    await tenants.set_member_role(await cast.within(scene.alice, scene.acme), bob, "admin")
    administering = await cast.within(scene.bob, scene.acme)
    for user, role in ((bob, "owner"), (alice, "member")):
        with pytest.raises(PermissionDenied):
            await tenants.set_member_role(administering, user, role)


async def test_bad_roles_and_people_are_refused(one_ctx: Context) -> None:
    scene = await cast.assemble(one_ctx)
    owning = await cast.within(scene.alice, scene.acme)
    for role in ("", "operator", "night_watch", "x" * 200):
        with pytest.raises(InputInvalid):
            await tenants.set_member_role(owning, scene.bob.actor.person, role)
    for user in ("", "usr_1}", scene.carol.actor.person):
        with pytest.raises(NotFound):
            await tenants.set_member_role(owning, user, "viewer")
