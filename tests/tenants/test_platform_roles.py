import asyncio

import pytest

from tests import cast
from tests.worker.working import nothing_due, until, working
from veloflux import tenants
from veloflux.context import PLATFORM, Context
from veloflux.db import keys, streams
from veloflux.errors import Conflict, InputInvalid, NotFound, PermissionDenied
from veloflux.tenants import EVERYTHING, PERMISSIONS, ROLES
from veloflux.tenants.platform_roles import PLATFORM_PERMISSIONS
from veloflux.worker import TABLES


async def colleague(ctx: Context, name: str, role: str) -> Context:
    """Somebody with a platform role."""
    someone = await cast.operator(ctx, name)
    await tenants.set_member_role(await ruling(ctx), someone.actor.person, role)
    return someone


async def ruling(ctx: Context) -> Context:
    """Who sits at the machine, within the platform's tenant."""
    return ctx.within(tenants.scope_of(await tenants.find(ctx, PLATFORM)), ROLES["operator"])


CHANGES = {"finance": ("billing:write",)}
"""What roles that otherwise read may change in tenants."""


def test_no_permission_of_the_platform_is_one_of_tenants() -> None:
    assert not PERMISSIONS.keys() & PLATFORM_PERMISSIONS.keys()
    assert ROLES["operator"] == EVERYTHING
    for role in tenants.roles_of("ten_1"):
        assert not ROLES[role] & PLATFORM_PERMISSIONS.keys()


@pytest.mark.parametrize("role", ["support", "finance", "read-only"])
async def test_a_platform_role_allows_in_every_tenant_and_on_the_platform_what_it_has_and_no_more(
    ctx: Context, role: str
) -> None:
    scene = await cast.assemble(ctx)
    await cast.operator(ctx)
    someone = await colleague(ctx, "sam", role)
    for permission in PERMISSIONS:
        for ref in ("acme", PLATFORM):
            if permission in ROLES[role]:
                assert (await tenants.authorise(someone, ref, permission)).permissions == ROLES[role]
            else:
                with pytest.raises(PermissionDenied):
                    await tenants.authorise(someone, ref, permission)
        assert permission.endswith(":read") or permission in CHANGES.get(role, ()) or permission not in ROLES[role]
    for permission in PLATFORM_PERMISSIONS:
        if permission in ROLES[role]:
            assert (await tenants.authorise_platform(someone, permission)).tenant == PLATFORM
        else:
            with pytest.raises(PermissionDenied, match="platform"):
                await tenants.authorise_platform(someone, permission)
    assert scene.globex.id in [one.id for one in (await tenants.list_tenants(someone)).items]


async def test_who_reads_everywhere_keeps_what_their_own_role_in_a_tenant_allows(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    await cast.operator(ctx)
    sam = await colleague(ctx, "sam", "read-only")
    await cast.join(await cast.within(scene.alice, scene.acme), sam, "admin")
    assert (await tenants.authorise(sam, "acme", "members:write")).permissions == ROLES["admin"] | ROLES["read-only"]
    with pytest.raises(PermissionDenied):
        await tenants.authorise(sam, "globex", "members:write")


async def test_support_reads_a_suspended_tenant_and_a_tenant_created_by_them_is_their_own(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    olivia = await cast.operator(ctx)
    sam = await colleague(ctx, "sam", "support")
    await tenants.suspend_tenant(await tenants.authorise(olivia, "acme", "tenant:suspend"), "overdue")
    assert (await tenants.authorise(sam, "acme", "audit:read")).tenant == scene.acme.id
    with pytest.raises(PermissionDenied):
        await tenants.create_tenant(sam, "Sam's", plan="pro")
    made = await tenants.create_tenant(sam, "Sam's")
    assert made.owners == 1


async def test_a_changed_role_counts_from_the_next_request_and_stands_in_the_trail(ctx: Context) -> None:
    olivia = await cast.operator(ctx)
    sam = await colleague(ctx, "sam", "support")
    operating = await tenants.authorise_platform(olivia, "members:write")
    assert (await tenants.set_member_role(operating, sam.actor.person, "finance")).role == "finance"
    with pytest.raises(PermissionDenied):
        await tenants.authorise_platform(sam, "users:read")
    assert (await tenants.set_member_role(operating, sam.actor.person, "operator")).role == "operator"
    assert await tenants.platform_permissions(sam) == EVERYTHING
    [*_, last] = await streams.after(ctx.db, PLATFORM, "", 100)
    assert (last.name, last.actor, last.data) == (
        "member.role_changed",
        olivia.actor.id,
        {"user": sam.actor.person, "role": "operator"},
    )
    assert last.changes[sam.actor.person]["role"] == ["finance", "operator"]
    assert await ctx.db.call("HGET", keys.tenant(PLATFORM), "owners") == "2"


async def test_the_last_operator_is_neither_demoted_nor_removed(ctx: Context) -> None:
    olivia = await cast.operator(ctx)
    await colleague(ctx, "sam", "support")
    operating = await tenants.authorise_platform(olivia, "members:write")
    with pytest.raises(Conflict, match="last operator"):
        await tenants.set_member_role(operating, olivia.actor.person, "read-only")
    with pytest.raises(Conflict, match="last operator"):
        await tenants.remove_member(operating, olivia.actor.person)
    assert await tenants.platform_role(olivia) == "operator"


async def test_of_two_operators_who_demote_one_another_at_the_same_time_one_remains(ctx: Context) -> None:
    people = [await cast.operator(ctx, name) for name in ("olivia", "omar", "oskar")]
    operating = [await tenants.authorise_platform(one, "members:write") for one in people]
    first, second = operating[:2]
    ended = await asyncio.gather(
        tenants.set_member_role(first, second.actor.person, "support"),
        tenants.set_member_role(second, first.actor.person, "support"),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in ended) == ["Member", "PermissionDenied"]
    await tenants.remove_member(operating[2], people[2].actor.person)
    roles = [await tenants.platform_role(one) for one in people]
    assert sorted(map(str, roles)) == ["None", "operator", "support"]
    assert await ctx.db.call("HGET", keys.tenant(PLATFORM), "owners") == "1"


async def test_nobody_grants_or_takes_what_they_lack(ctx: Context) -> None:
    olivia = await cast.operator(ctx)
    sam = await colleague(ctx, "sam", "support")
    lesser = ctx.acting(sam.actor).within(tenants.scope_of(await tenants.find(ctx, PLATFORM)), ROLES["support"])
    for user, role in ((sam.actor.person, "operator"), (olivia.actor.person, "support")):
        with pytest.raises(PermissionDenied):
            await tenants.set_member_role(lesser, user, role)


async def test_bad_roles_and_people_are_refused(ctx: Context) -> None:
    olivia = await cast.operator(ctx)
    operating = await tenants.authorise_platform(olivia, "members:write")
    for role in ("", "owner", "Operator", "x" * 200):
        with pytest.raises(InputInvalid):
            await tenants.set_member_role(operating, olivia.actor.person, role)
    stranger = await cast.person(ctx, "mallory")
    for user in ("", "usr_1}", stranger.actor.person):
        with pytest.raises(NotFound):
            await tenants.set_member_role(operating, user, "support")
    with pytest.raises(InputInvalid):
        await tenants.invite(await ruling(ctx), "eve@example.com", "owner")


async def test_after_a_crash_the_worker_tells_the_persons_list_of_the_role(ctx: Context) -> None:
    await cast.operator(ctx)
    sam = await colleague(ctx, "sam", "support")
    listed = keys.user_tenants(sam.actor.person)
    await ctx.db.call("HSET", listed, PLATFORM, "operator")  # as if the process had died after its commit
    async with working(ctx.parts, TABLES):
        await until(lambda: nothing_due(ctx))
    assert await ctx.db.call("HGET", listed, PLATFORM) == "support"


async def test_a_support_colleague_comes_by_invitation(ctx: Context) -> None:
    operating = await tenants.authorise_platform(await cast.operator(ctx), "members:write")
    omar = await cast.person(ctx, "omar")
    await cast.join(operating, omar, "support")
    assert await tenants.platform_permissions(omar) == ROLES["support"]
