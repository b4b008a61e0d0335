"""Invitations in odd orders: sent again, used late, twice, by others, or after their inviter is gone."""

import asyncio

import pytest

from tests import cast
from tests.cast import Cast
from tests.identity import test_email_change
from tests.identity.mails import link_in, mails, work
from tests.tenants.test_invitations import HOSTILE
from veloflux import identity, tenants
from veloflux.context import PLATFORM, Context
from veloflux.db import keys
from veloflux.errors import (
    AlreadyDone,
    AlreadyMember,
    InputInvalid,
    LinkExpired,
    NameTaken,
    NotFound,
    PermissionDenied,
    TooManyAttempts,
)
from veloflux.identity.mail_limit import FREE_TO_MAILBOX
from veloflux.kit import clock
from veloflux.tenants import Invitation, invitations

NEW = "new@example.com"


@pytest.fixture
async def scene(ctx: Context) -> Cast:
    return await cast.assemble(ctx)


@pytest.fixture
async def alice(scene: Cast) -> Context:
    return await cast.within(scene.alice, scene.acme)


def token(ctx: Context, invitation: Invitation) -> str:
    return invitations.token_of(ctx.parts.secrets, ctx.tenant, invitation.id, invitation.sent)


async def join(ctx: Context, token: str, password: str = cast.PASSWORD) -> identity.SignedIn:
    _, signed_in = await tenants.join_by_invitation(cast.fresh(ctx), token, name="New", password=password)
    return signed_in


async def test_a_new_link_works_and_the_one_before_does_not(ctx: Context, scene: Cast, alice: Context) -> None:
    invitation = await tenants.invite(alice, cast.email("mallory"), "viewer")
    again = await tenants.resend_invitation(alice, invitation.id)
    assert again.id == invitation.id
    with pytest.raises(LinkExpired):
        await tenants.open_invitation(cast.fresh(ctx), token(alice, invitation))
    with pytest.raises(LinkExpired):
        await tenants.accept_invitation(scene.stranger, token(alice, invitation))
    assert (await tenants.accept_invitation(scene.stranger, token(alice, again))).id == scene.acme.id


async def test_the_worker_sends_the_new_link(one_ctx: Context) -> None:
    scene = await cast.assemble(one_ctx)
    alice = await cast.within(scene.alice, scene.acme)
    invitation = await tenants.invite(alice, NEW, "viewer")
    await work(one_ctx)
    await tenants.resend_invitation(alice, invitation.id)
    await work(one_ctx)
    sent = [link_in(mail, "/console/invitations/") for mail in await mails(one_ctx) if mail.to == NEW]
    assert len(sent) == len(set(sent)) == 2
    opened = []
    for link in sent:
        try:
            opened.append((await tenants.open_invitation(cast.fresh(one_ctx), link)).invitation.id)
        except LinkExpired:
            continue
    assert opened == [invitation.id]


async def test_sent_again_after_its_week_it_is_good_for_another(ctx: Context, scene: Cast, alice: Context) -> None:
    invitation = await tenants.invite(alice, cast.email("mallory"), "viewer")
    await ctx.db.call("HSET", keys.invitation(scene.acme.id, invitation.id), "expires_at", clock.now_ms())
    again = await tenants.resend_invitation(alice, invitation.id)
    assert again.expires_at > clock.now_ms() + 6 * clock.DAY_MS
    await tenants.accept_invitation(scene.stranger, token(alice, again))


async def test_what_was_accepted_or_revoked_is_not_sent_again(scene: Cast, alice: Context) -> None:
    accepted, revoked = [await tenants.invite(alice, cast.email("mallory"), "viewer") for _ in range(2)]
    await tenants.revoke_invitation(alice, revoked.id)
    await tenants.accept_invitation(scene.stranger, token(alice, accepted))
    for one in (accepted, revoked):
        with pytest.raises(AlreadyDone):
            await tenants.resend_invitation(alice, one.id)


async def test_who_became_a_member_otherwise_is_not_invited_again(scene: Cast, alice: Context) -> None:
    first, second = [await tenants.invite(alice, cast.email("mallory"), "viewer") for _ in range(2)]
    await tenants.accept_invitation(scene.stranger, token(alice, first))
    with pytest.raises(AlreadyMember):
        await tenants.resend_invitation(alice, second.id)


async def test_sending_again_is_limited(one_ctx: Context) -> None:
    scene = await cast.assemble(one_ctx)
    alice = await cast.within(scene.alice, scene.acme)
    invitation = await tenants.invite(alice, NEW, "viewer")
    for _ in range(FREE_TO_MAILBOX - 1):
        last = await tenants.resend_invitation(alice, invitation.id)
    with pytest.raises(TooManyAttempts):
        await tenants.resend_invitation(alice, invitation.id)
    assert await tenants.open_invitation(cast.fresh(one_ctx), token(alice, last))


async def test_nobody_sends_again_what_they_could_not_send(scene: Cast, alice: Context) -> None:
    invitation = await tenants.invite(alice, NEW, "owner")
    await cast.join(alice, scene.stranger, "admin")
    with pytest.raises(PermissionDenied):
        await tenants.resend_invitation(await cast.within(scene.stranger, scene.acme), invitation.id)
    carol = await cast.within(scene.carol, scene.globex)
    for id_ in (invitation.id, "ivt_1", "", "a}b"):
        with pytest.raises(NotFound):
            await tenants.resend_invitation(carol, id_)


async def test_sent_again_revoked_and_accepted_at_once_one_end_is_reached(
    ctx: Context, scene: Cast, alice: Context
) -> None:
    invitation = await tenants.invite(alice, cast.email("mallory"), "viewer")
    accepted, revoked, _ = await asyncio.gather(
        tenants.accept_invitation(scene.stranger, token(alice, invitation)),
        tenants.revoke_invitation(alice, invitation.id),
        tenants.resend_invitation(alice, invitation.id),
        return_exceptions=True,
    )
    is_member = bool(await ctx.db.call("EXISTS", keys.member(scene.acme.id, scene.stranger.actor.person)))
    assert is_member != isinstance(accepted, BaseException)
    assert isinstance(accepted, BaseException) or isinstance(revoked, AlreadyDone)


@pytest.mark.parametrize("how", ["suspend", "archive"])
async def test_while_its_tenant_is_closed_an_invitation_leads_nowhere(one_ctx: Context, how: str) -> None:
    scene = await cast.assemble(one_ctx)
    alice = await cast.within(scene.alice, scene.acme)
    invitation = await tenants.invite(alice, cast.email("mallory"), "viewer")
    if how == "suspend":
        await tenants.suspend_tenant(alice, "overdue")
    else:
        await tenants.archive_tenant(alice)
    with pytest.raises(LinkExpired):
        await tenants.open_invitation(cast.fresh(one_ctx), token(alice, invitation))
    with pytest.raises(LinkExpired):
        await tenants.accept_invitation(scene.stranger, token(alice, invitation))
    await (tenants.resume_tenant if how == "suspend" else tenants.restore_tenant)(alice)
    await tenants.accept_invitation(scene.stranger, token(alice, invitation))


async def test_who_was_removed_leaves_no_invitation_that_works_until_somebody_else_sends_it(
    scene: Cast, alice: Context
) -> None:
    await cast.join(alice, scene.stranger, "admin")
    mallory = await cast.within(scene.stranger, scene.acme)
    invitation = await tenants.invite(mallory, NEW, "admin")
    await tenants.remove_member(alice, mallory.actor.person)
    for attempt in (tenants.open_invitation(alice, token(alice, invitation)), join(alice, token(alice, invitation))):
        with pytest.raises(LinkExpired):
            await attempt
    assert await identity.find_by_email(alice, identity.parse_email(NEW)) is None
    again = await tenants.resend_invitation(alice, invitation.id)
    await join(alice, token(alice, again))


async def test_who_may_less_now_cannot_have_invited_to_more(scene: Cast, alice: Context) -> None:
    await cast.join(alice, scene.stranger, "owner")
    mallory = await cast.within(scene.stranger, scene.acme)
    to_owner, to_admin = [await tenants.invite(mallory, email, "owner") for email in (NEW, cast.email("zoe"))]
    await tenants.transfer_ownership(mallory, scene.bob.actor.person)  # mallory is admin from now on
    for one in (to_owner, to_admin):
        with pytest.raises(LinkExpired):
            await join(alice, token(alice, one))
    lesser = await tenants.invite(await cast.within(scene.stranger, scene.acme), NEW, "viewer")
    await join(alice, token(alice, lesser))


async def test_an_inviter_removed_while_somebody_accepts_is_found_out_by_the_commit(
    scene: Cast, alice: Context
) -> None:
    await cast.join(alice, scene.stranger, "admin")
    mallory = await cast.within(scene.stranger, scene.acme)
    invited = await cast.person(alice, "zoe")
    link = token(alice, await tenants.invite(mallory, cast.email("zoe"), "viewer"))
    accepted, _ = await asyncio.gather(
        tenants.accept_invitation(invited, link),
        tenants.remove_member(alice, mallory.actor.person),
        return_exceptions=True,
    )
    assert isinstance(accepted, LinkExpired | tenants.Tenant)
    is_member = bool(await alice.db.call("EXISTS", keys.member(scene.acme.id, invited.actor.person)))
    assert is_member == isinstance(accepted, tenants.Tenant)


async def test_an_invitation_by_a_key_ends_with_the_key_and_one_by_an_operator_counts_everywhere(
    scene: Cast, alice: Context
) -> None:
    key = await tenants.create_api_key(alice, "server", "admin")
    by_key = await tenants.authorise(
        cast.fresh(alice).acting(await tenants.authenticate_api_key(alice.parts, key.token)),
        scene.acme.id,
        "members:write",
    )
    link = token(alice, await tenants.invite(by_key, NEW, "viewer"))
    assert await tenants.open_invitation(alice, link)
    await tenants.revoke_api_key(alice, key.key.id)
    with pytest.raises(LinkExpired):
        await tenants.open_invitation(alice, link)
    olivia = await cast.within(await cast.operator(alice), scene.acme)
    await join(alice, token(alice, await tenants.invite(olivia, NEW, "owner")))
    assert olivia.tenant != PLATFORM


async def test_who_has_no_account_joins_by_the_link_alone(ctx: Context, scene: Cast, alice: Context) -> None:
    link = token(alice, await tenants.invite(alice, NEW, "member"))
    signed_in = await join(ctx, link)
    assert (await identity.authenticate(ctx.parts, signed_in.token)).email == NEW
    assert await cast.within(cast.acting(ctx, signed_in), scene.acme)
    with pytest.raises(AlreadyDone):
        await join(ctx, link)


async def test_who_has_an_account_does_not_get_another_by_the_link(scene: Cast, alice: Context) -> None:
    link = token(alice, await tenants.invite(alice, cast.email("mallory"), "member"))
    with pytest.raises(NameTaken):
        await join(alice, link, "a password of somebody else")
    await tenants.accept_invitation(scene.stranger, link)


async def test_a_password_that_cannot_be_leaves_no_account_and_the_link_usable(scene: Cast, alice: Context) -> None:
    link = token(alice, await tenants.invite(alice, NEW, "member"))
    with pytest.raises(InputInvalid):
        await join(alice, link, "short")
    assert await join(alice, link)


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_nobody_joins_by_a_token_of_another_form(one_ctx: Context, hostile: str) -> None:
    with pytest.raises(LinkExpired):
        await join(one_ctx, hostile)


async def test_an_address_changed_meanwhile_is_not_the_invited_one(one_ctx: Context) -> None:
    scene = await cast.assemble(one_ctx)
    alice = await cast.within(scene.alice, scene.acme)
    link = token(alice, await tenants.invite(alice, NEW, "member"))
    with pytest.raises(PermissionDenied):
        await tenants.accept_invitation(scene.stranger, link)
    await test_email_change.change(scene.stranger, NEW)
    await tenants.accept_invitation(scene.stranger, link)
