import asyncio
from typing import Any

import pytest

from tests import cast, customers
from tests.cast import Cast
from tests.whole_database import keys_holding
from veloflux import limits, tenants
from veloflux.context import PLATFORM, Context
from veloflux.db import keys
from veloflux.db.jobs import Job
from veloflux.errors import (
    ChangedMeanwhile,
    Conflict,
    InputInvalid,
    NameTaken,
    NotFound,
    PermissionDenied,
    VeloFluxError,
)
from veloflux.kit import clock
from veloflux.tenants import roles
from veloflux.tenants.life import end_tenant
from veloflux.transaction import Transaction

READING = ["tenant:read", "usage:read"]


async def inside(scene: Cast, who: Context | None = None, permission: str = "tenant:read") -> Context:
    """The context of alice, the owner, or of somebody else, within Acme, as the next request would have it."""
    return await tenants.authorise(who or scene.alice, scene.acme.id, permission)


async def made(scene: Cast, name: str, permissions: list[str]) -> Context:
    """The owner's context after she made a role."""
    await tenants.create_role(await inside(scene), name, permissions)
    return await inside(scene)


async def test_a_role_of_the_tenants_own_gives_what_it_lists_to_members_and_keys(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    owning = await made(scene, "night_watch", [*READING, "audit:read"])
    await cast.join(owning, scene.stranger, "night_watch")
    assert (await inside(scene, scene.stranger)).permissions == {*READING, "audit:read"}
    new = await customers.key(owning, "night_watch", permissions=("audit:read",))
    program = ctx.acting(await tenants.authenticate_api_key(ctx.parts, new.token))
    assert (await inside(scene, program, "audit:read")).permissions == {"audit:read"}
    with pytest.raises(PermissionDenied, match="night_watch"):
        await inside(scene, scene.stranger, "members:read")
    with pytest.raises(InputInvalid, match="no role"):
        await tenants.invite(await cast.within(scene.carol, scene.globex), "dora@example.com", "night_watch")


async def test_a_change_counts_with_the_next_request_and_authorising_costs_what_it_cost(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = await cast.assemble(ctx)
    owning = await made(scene, "night_watch", READING)
    await cast.join(owning, scene.stranger, "night_watch")
    calls: list[Any] = []
    call = ctx.db._nodes.call
    monkeypatch.setattr(ctx.db._nodes, "call", lambda *args: (calls.append(args), call(*args))[1])
    await inside(scene, scene.bob)
    as_built_in = len(calls)
    await inside(scene, scene.stranger)
    assert len(calls) == 2 * as_built_in
    await tenants.change_role(owning, "night_watch", ["audit:read"], "Only the trail")
    assert (await inside(scene, scene.stranger, "audit:read")).permissions == {"audit:read"}


async def test_a_check_asks_the_custom_role_of_its_key_as_it_is_now(ctx: Context) -> None:
    acme = await customers.customer(ctx)
    await tenants.create_role(acme, "gateway", ["usage:write"])
    acme = customers.of(ctx, await tenants.find(ctx, acme.tenant))
    new, narrow = (
        await customers.key(acme, "gateway"),
        await customers.key(acme, "gateway", permissions=("usage:write",)),
    )
    for each in (new, narrow):
        assert (await limits.check(acme.parts, acme.tenant, customers.asked(each))).allowed
    await tenants.change_role(acme, "gateway", ["usage:read"])
    for each in (new, narrow):
        with pytest.raises(PermissionDenied):
            await limits.check(acme.parts, acme.tenant, customers.asked(each))


async def test_nobody_makes_changes_gives_or_takes_a_role_with_what_they_lack(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    owning = await made(scene, "chief", ["tenant:read", "members:read", "members:write", "roles:write"])
    await tenants.create_role(owning, "closer", ["tenant:close"])
    owning = await inside(scene)
    await cast.join(owning, scene.stranger, "chief")
    waiting = await tenants.invite(owning, "dora@example.com", "closer")
    chief = await inside(scene, scene.stranger)
    for refused in (
        tenants.create_role(chief, "stronger", ["usage:read"]),
        tenants.change_role(chief, "chief", [*chief.permissions, "api_keys:write"]),
        tenants.change_role(chief, "closer", ["tenant:read"]),
        tenants.delete_role(chief, "closer"),
        tenants.invite(chief, "eve@example.com", "closer"),
        tenants.revoke_invitation(chief, waiting.id),
        tenants.remove_member(chief, scene.bob.actor.person),
    ):
        with pytest.raises(PermissionDenied):
            await refused
    assert (await tenants.create_role(chief, "porter", ["members:read"])).permissions == ("members:read",)
    with pytest.raises(InputInvalid, match="tenant:suspend"):
        await tenants.create_role(owning, "judge", ["tenant:suspend"])


async def test_what_was_authorised_by_a_role_that_changed_meanwhile_is_not_done(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    owning = await made(scene, "chief", ["members:read", "members:write", "usage:read", "roles:write"])
    await cast.join(owning, scene.stranger, "chief")
    chief = await inside(scene, scene.stranger, "members:write")
    await tenants.create_role(owning := await inside(scene), "reader", ["usage:read"])
    chief = await inside(scene, scene.stranger, "members:write")
    await tenants.change_role(await inside(scene), "chief", ["members:read"])
    for late in (
        tenants.invite(chief, "eve@example.com", "reader"),
        tenants.create_role(chief, "own", ["usage:read"]),
        tenants.change_role(chief, "reader", ["members:read"]),
    ):
        with pytest.raises(ChangedMeanwhile):
            await late
    assert owning.scope
    assert (await tenants.list_invitations(owning)).items[0].role == "chief"


async def test_a_role_that_somebody_has_stays_and_is_told_who_has_it(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    owning = await made(scene, "night_watch", READING)
    waiting = await tenants.invite(owning, cast.email("mallory"), "night_watch")
    new = await customers.key(owning, "night_watch")
    with pytest.raises(Conflict, match=waiting.id) as told:
        await tenants.delete_role(owning, "night_watch")
    assert new.key.id in str(told.value)
    await tenants.accept_invitation(scene.stranger, cast.token(owning, waiting.id))
    successor = await tenants.rotate_api_key(owning, new.key.id)
    with pytest.raises(Conflict, match=scene.stranger.actor.person) as told:
        await tenants.delete_role(owning, "night_watch")
    assert (waiting.id in str(told.value), new.key.id in str(told.value)) == (False, False)
    assert successor.key.id in str(told.value)
    await tenants.revoke_api_key(owning, successor.key.id)
    await tenants.remove_member(owning, scene.stranger.actor.person)
    revoked = await tenants.invite(owning, "eve@example.com", "night_watch")
    await tenants.revoke_invitation(owning, revoked.id)
    await tenants.delete_role(owning, "night_watch")
    assert [role.name for role in await tenants.list_roles(owning) if role.custom] == []
    assert not await ctx.db.call("HEXISTS", keys.limits(scene.acme.id), "role:night_watch")


async def test_who_becomes_owner_has_the_custom_role_no_longer(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    owning = await made(scene, "night_watch", READING)
    await cast.join(owning, scene.stranger, "night_watch")
    await tenants.transfer_ownership(owning, scene.stranger.actor.person)
    await tenants.delete_role(await inside(scene, scene.stranger), "night_watch")


async def test_of_a_deletion_and_a_gift_at_once_one_is_refused(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    for number in range(5):
        owning = await made(scene, f"role_{number}", READING)
        outcomes = await asyncio.gather(
            tenants.delete_role(owning, f"role_{number}"),
            customers.key(owning, f"role_{number}"),
            return_exceptions=True,
        )
        refused = [one for one in outcomes if isinstance(one, VeloFluxError)]
        assert len(refused) == 1, outcomes
        named = [key.role for key in (await tenants.list_api_keys(owning)).items]
        known = {role.name for role in await tenants.list_roles(owning)}
        assert set(named) <= known


async def test_of_two_who_make_the_same_role_one_is_told_and_there_are_at_most_twenty(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    owning = await inside(scene)
    outcomes = await asyncio.gather(
        *(tenants.create_role(owning, "twin", READING) for _ in range(2)), return_exceptions=True
    )
    assert [type(one) for one in outcomes if isinstance(one, Exception)] == [NameTaken]
    for number in range(roles.ROLES_MAX - 1):
        await tenants.create_role(owning, f"role_{number}", READING)
    with pytest.raises(Conflict, match="20"):
        await tenants.create_role(owning, "one_more", READING)


@pytest.mark.parametrize("name", ["", "a", "A b", "owner", "operator", "support", "x:y", "a" * 41, "role}", "1st"])
async def test_a_role_has_a_name_of_its_own(one_ctx: Context, name: str) -> None:
    scene = await cast.assemble(one_ctx)
    with pytest.raises((InputInvalid, NameTaken)):
        await tenants.create_role(await inside(scene), name, READING)


async def test_bad_permissions_and_descriptions_are_refused(one_ctx: Context) -> None:
    scene = await cast.assemble(one_ctx)
    owning = await inside(scene)
    for permissions, description in (([], ""), (["all:things"], ""), (READING, "x" * 201), (READING, "\x00")):
        with pytest.raises(InputInvalid):
            await tenants.create_role(owning, "night_watch", permissions, description)
    for change in (tenants.change_role(owning, "owner", READING), tenants.delete_role(owning, "owner")):
        with pytest.raises(NotFound):
            await change
    operating = await tenants.authorise(await cast.operator(one_ctx), PLATFORM, "roles:write")
    with pytest.raises(Conflict):
        await tenants.create_role(operating, "night_watch", READING)


async def test_nothing_of_its_roles_outlives_a_tenant(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    owning = await made(scene, "night_watch", READING)
    await customers.key(owning, "night_watch")
    role = keys.role_holders(scene.acme.id, "night_watch")
    assert await ctx.db.call("EXISTS", role)
    await tenants.delete_tenant(owning, "acme")
    await ctx.db.call("HSET", keys.tenant(scene.acme.id), "delete_at", clock.now_ms() - 1)
    await _end(ctx, scene)
    assert not await ctx.db.call("EXISTS", role)
    assert all(":events" in name or ":api_key:" in name for name in await keys_holding(ctx.db, "night_watch"))


async def _end(ctx: Context, scene: Cast) -> None:
    job = Job(id="job_1", owner=scene.acme.id, kind="delete_tenant", payload={}, run_at=0, created_at=0)
    tx = Transaction(ctx, scene.acme.id)
    await end_tenant(ctx, job, tx)
    await tx.commit()
