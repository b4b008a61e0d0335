import asyncio

import msgspec
import pytest

from tests import cast
from tests.whole_database import keys_holding
from veloflux import identity, tenants
from veloflux.context import Context
from veloflux.db import keys, streams
from veloflux.errors import AlreadyDone, AlreadyMember, InputInvalid, LinkExpired, NotFound, PermissionDenied
from veloflux.kit import clock

HOSTILE = [
    "",
    "..",
    "a.b.c",
    "0." + "a" * 26 + "." + "0" * 40,
    "x" * 9_000,
    "0}." + "a" * 26 + "." + "0" * 40,
    "\ud800.a.b",
]


async def test_the_invited_person_joins_once_with_the_role(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    alice = await cast.within(scene.alice, scene.acme)
    invitation = await tenants.invite(alice, "Mallory@EXAMPLE.com", "viewer")
    token = cast.token(alice, invitation.id)
    opened = await tenants.open_invitation(cast.fresh(ctx), token)
    assert (opened.tenant.id, opened.invitation, opened.has_account) == (scene.acme.id, invitation, True)
    assert (await tenants.accept_invitation(scene.stranger, token)).id == scene.acme.id
    within = await cast.within(scene.stranger, scene.acme)
    assert within.permissions == tenants.ROLES["viewer"]
    assert [tenant.slug for tenant in await tenants.tenants_of(ctx, scene.stranger.actor.person)] == ["acme"]
    with pytest.raises(AlreadyDone):
        await tenants.accept_invitation(scene.stranger, token)


async def test_someone_without_an_account_registers_and_then_accepts(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    alice = await cast.within(scene.alice, scene.acme)
    token = cast.token(alice, (await tenants.invite(alice, "new@example.com", "member")).id)
    assert not (await tenants.open_invitation(cast.fresh(ctx), token)).has_account
    await tenants.accept_invitation(await cast.person(ctx, "new"), token)
    assert len((await tenants.list_members(alice)).items) == 3


async def test_accepted_many_times_at_once_it_works_once(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    alice = await cast.within(scene.alice, scene.acme)
    token = cast.token(alice, (await tenants.invite(alice, cast.email("mallory"), "owner")).id)
    ended = await asyncio.gather(
        *(tenants.accept_invitation(scene.stranger, token) for _ in range(6)), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in ended) == ["AlreadyDone"] * 5 + ["Tenant"]
    names = [event.name for event in await streams.after(ctx.db, scene.acme.id, "", 100)]
    assert names.count("invitation.accepted") == 2  # bob's, when the scene was set, and this one
    assert await ctx.db.call("HGET", keys.tenant(scene.acme.id), "owners") == "2"


async def test_two_invitations_of_one_person_accepted_at_once_make_one_member(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    alice = await cast.within(scene.alice, scene.acme)
    invited = [await tenants.invite(alice, cast.email("mallory"), role) for role in ("viewer", "member")]
    ended = await asyncio.gather(
        *(tenants.accept_invitation(scene.stranger, cast.token(alice, one.id)) for one in invited),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in ended) == ["AlreadyMember", "Tenant"]


async def test_the_wrong_person_cannot_accept(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    alice = await cast.within(scene.alice, scene.acme)
    token = cast.token(alice, (await tenants.invite(alice, "new@example.com", "member")).id)
    with pytest.raises(PermissionDenied):
        await tenants.accept_invitation(scene.stranger, token)
    with pytest.raises(NotFound):
        await cast.within(scene.stranger, scene.acme)
    await tenants.accept_invitation(await cast.person(ctx, "new"), token)


async def test_a_revoked_invitation_cannot_be_accepted_nor_an_accepted_one_revoked(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    alice = await cast.within(scene.alice, scene.acme)
    first, second = [await tenants.invite(alice, cast.email("mallory"), "member") for _ in range(2)]
    for _ in range(2):
        assert (await tenants.revoke_invitation(alice, first.id)).status == "revoked"
    with pytest.raises(LinkExpired):
        await tenants.accept_invitation(scene.stranger, cast.token(alice, first.id))
    await tenants.accept_invitation(scene.stranger, cast.token(alice, second.id))
    with pytest.raises(AlreadyDone):
        await tenants.revoke_invitation(alice, second.id)


async def test_revoked_and_accepted_at_the_same_time_only_one_of_both_happens(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    alice = await cast.within(scene.alice, scene.acme)
    invitation = await tenants.invite(alice, cast.email("mallory"), "member")
    accepted, revoked = await asyncio.gather(
        tenants.accept_invitation(scene.stranger, cast.token(alice, invitation.id)),
        tenants.revoke_invitation(alice, invitation.id),
        return_exceptions=True,
    )
    assert isinstance(accepted, BaseException) != isinstance(revoked, BaseException)
    is_member = bool(await ctx.db.call("EXISTS", keys.member(scene.acme.id, scene.stranger.actor.person)))
    assert is_member != isinstance(accepted, BaseException)


async def test_after_its_week_an_invitation_is_over(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    alice = await cast.within(scene.alice, scene.acme)
    invitation = await tenants.invite(alice, cast.email("mallory"), "member")
    assert invitation.expires_at - invitation.created_at == 7 * clock.DAY_MS
    await ctx.db.call("HSET", keys.invitation(scene.acme.id, invitation.id), "expires_at", clock.now_ms())
    with pytest.raises(LinkExpired):
        await tenants.accept_invitation(scene.stranger, cast.token(alice, invitation.id))


async def test_who_was_removed_cannot_come_back_by_the_same_invitation(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    alice = await cast.within(scene.alice, scene.acme)
    token = cast.token(alice, (await tenants.invite(alice, cast.email("mallory"), "member")).id)
    await tenants.accept_invitation(scene.stranger, token)
    await tenants.remove_member(alice, scene.stranger.actor.person)
    with pytest.raises(AlreadyDone):
        await tenants.accept_invitation(scene.stranger, token)


@pytest.mark.parametrize("token", HOSTILE)
async def test_a_token_of_another_form_is_no_invitation(one_ctx: Context, token: str) -> None:
    stranger = await cast.person(one_ctx, "mallory")
    with pytest.raises(LinkExpired):
        await tenants.accept_invitation(stranger, token)


async def test_a_token_for_another_tenant_or_with_another_mac_is_no_invitation(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    alice = await cast.within(scene.alice, scene.acme)
    token = cast.token(alice, (await tenants.invite(alice, cast.email("mallory"), "member")).id)
    tenant, invitation, mac = token.split(".")
    other_secret = msgspec.structs.replace(
        ctx.parts, secrets=type(ctx.parts.secrets)(b"another installation's secret!!!")
    )
    for forged in (f"{scene.globex.id[4:]}.{invitation}.{mac}", f"{tenant}.{invitation}.{'0' * 40}"):
        with pytest.raises(LinkExpired):
            await tenants.accept_invitation(scene.stranger, forged)
    with pytest.raises(LinkExpired):
        await tenants.accept_invitation(msgspec.structs.replace(scene.stranger, parts=other_secret), token)


async def test_who_is_a_member_already_is_not_invited(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    with pytest.raises(AlreadyMember):
        await tenants.invite(await cast.within(scene.alice, scene.acme), "BOB@example.com", "admin")


async def test_nobody_invites_to_a_role_that_may_more_or_that_is_none(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    alice = await cast.within(scene.alice, scene.acme)
    await cast.join(alice, scene.stranger, "admin")
    with pytest.raises(PermissionDenied):
        await tenants.invite(await cast.within(scene.stranger, scene.acme), "new@example.com", "owner")
    for role in ("operator", "", "king"):
        with pytest.raises(InputInvalid):
            await tenants.invite(alice, "new@example.com", role)


async def test_an_operator_invites_another_one(ctx: Context) -> None:
    operating = await tenants.authorise_platform(await cast.operator(ctx), "tenants:write")
    omar = await cast.person(ctx, "omar")
    await cast.join(operating, omar, "operator")
    assert await tenants.platform_role(omar) == "operator"


async def test_the_invitations_of_another_tenant_are_not_found(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    invitation = await tenants.invite(await cast.within(scene.alice, scene.acme), "new@example.com", "member")
    carol = await cast.within(scene.carol, scene.globex)
    for id_ in (invitation.id, "ivt_1", "", "a}b"):
        with pytest.raises(NotFound):
            await tenants.revoke_invitation(carol, id_)
    assert (await tenants.list_invitations(carol)).items == []


async def test_the_address_stands_in_the_invitation_alone_and_the_token_nowhere(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    alice = await cast.within(scene.alice, scene.acme)
    invitation = await tenants.invite(alice, "new@example.com", "member")
    assert await keys_holding(ctx.db, "new@example.com") == {keys.invitation(scene.acme.id, invitation.id)}
    assert await keys_holding(ctx.db, cast.token(alice, invitation.id).rpartition(".")[2]) == set()


async def test_only_the_tenants_own_slot_knows_of_its_invitations(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    invitation = await tenants.invite(await cast.within(scene.alice, scene.acme), "new@example.com", "member")
    assert all(scene.acme.id in key for key in await keys_holding(ctx.db, invitation.id))
    digest = identity.email_digest(ctx, identity.parse_email("new@example.com"))
    assert await keys_holding(ctx.db, digest) == {keys.invitation(scene.acme.id, invitation.id)}
