"""Invitations: one person, by e-mail, into one tenant, once, within a week.

created ──accepted by the account with that e-mail──> accepted
   ├─────revoked──> revoked
   ├─────a week──> over
   └─────resent──> another week, by a new link: the one before is void
It counts only while who sent it last may still give its role (grantor.py). The token `<tenant>.<invitation>.<mac>` is
derived from the ids, and how often it was sent, under the installation's secret: nothing secret is stored, and the job
that sends the e-mail can make it again.
"""

import contextlib
import re

import msgspec

from veloflux.context import Context, Secrets
from veloflux.db import keys
from veloflux.errors import (
    AlreadyDone,
    AlreadyMember,
    LinkExpired,
    NotFound,
    PermissionDenied,
    Unavailable,
)
from veloflux.events import InvitationAccepted, InvitationCreated, InvitationResent, InvitationRevoked
from veloflux.identity import EmailAddress, admit_invitation, email_digest, find_by_email, parse_email, read_user
from veloflux.kit import clock, crypto, ids
from veloflux.kit.page import LIMIT, Page
from veloflux.tenants import holders, store
from veloflux.tenants.grantor import Grantor, find_grantor
from veloflux.tenants.members import join
from veloflux.tenants.model import Invitation, Tenant
from veloflux.tenants.permissions import require_grantable, require_role
from veloflux.transaction import Transaction, decide

LIFE_MS = 7 * clock.DAY_MS
MAC_DIGITS = 40
TOKEN = re.compile(r"([0-9a-z]{1,26})\.([0-9a-z]{26})\.([0-9a-f]{40})")


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """What the holder of an invitation's link sees before accepting."""

    tenant: Tenant
    invitation: Invitation
    has_account: bool


async def invite(ctx: Context, email: str, role: str) -> Invitation:
    """Invite the person with an e-mail address; the worker sends the message.

    :raises InputInvalid: e-mail or role. :raises PermissionDenied: the role may more than the actor.
    :raises AlreadyMember: the person with this address is one. :raises TooManyAttempts: it was invited too often.
    """
    require_role(ctx, role)
    require_grantable(ctx, role)
    address = parse_email(email)
    await _require_no_member(ctx, address)
    await admit_invitation(ctx, email_digest(ctx, address))
    now = clock.now_ms()
    invitation = Invitation(
        id=ids.new("ivt"),
        email=address.text,
        email_digest=email_digest(ctx, address),
        role=role,
        invited_by=ctx.actor.id,
        created_at=now,
        expires_at=now + LIFE_MS,
    )
    tx = Transaction(ctx, ctx.tenant)
    holders.guard(ctx, tx)
    holders.hold(tx, role, invitation.id)
    tx.create(keys.invitation(ctx.tenant, invitation.id), invitation)
    tx.rank(keys.invitations(ctx.tenant), invitation.id, now)
    tx.event(InvitationCreated(invitation=invitation.id, role=role))
    await tx.commit()
    return invitation


async def list_invitations(ctx: Context, cursor: str = "", limit: int = LIMIT) -> Page[Invitation]:
    """The tenant's invitations, whatever became of them, newest first."""
    return await store.invitations_page(ctx, cursor, limit)


async def revoke_invitation(ctx: Context, invitation: str) -> Invitation:
    """Void the link; doing it again changes nothing.

    :raises NotFound: the tenant has no such invitation. :raises AlreadyDone: it was accepted.
    :raises PermissionDenied: its role may more than the actor.
    """
    if not ids.is_id(invitation, "ivt"):
        raise _no_invitation()
    return await decide(lambda: _revoke(ctx, invitation))


async def resend_invitation(ctx: Context, invitation: str) -> Invitation:
    """Send a new link, good for a week from now; the one before is void, and the actor is now who invites.

    :raises NotFound: the tenant has no such invitation. :raises AlreadyDone: it was accepted, or revoked.
    :raises PermissionDenied: its role may more than the actor. :raises AlreadyMember: the person is one meanwhile.
    :raises TooManyAttempts: it was sent too often.
    """
    if not ids.is_id(invitation, "ivt"):
        raise _no_invitation()
    return await decide(lambda: _resend(ctx, invitation))


async def open_invitation(ctx: Context, token: str) -> Opened:
    """What a link leads to.

    :raises LinkExpired: it is not, or no longer, an invitation.
    """
    tenant_id, invitation, _ = await _pending(ctx, token)
    tenant = await store.find_tenant(ctx.db, tenant_id)
    if tenant is None:
        raise _over()
    user = await find_by_email(ctx, parse_email(invitation.email))
    return Opened(tenant=tenant, invitation=invitation, has_account=user is not None)


async def accept_invitation(ctx: Context, token: str) -> Tenant:
    """Become a member, as the signed-in person whose e-mail address was invited.

    :raises LinkExpired: the token is none, or its invitation was revoked or is over.
    :raises AlreadyDone: it was accepted before. :raises AlreadyMember: the person is a member.
    :raises PermissionDenied: the invitation is for another address.
    """
    tenant_id = await decide(lambda: _accept(ctx, token))
    with contextlib.suppress(Unavailable):  # the worker does it again
        await store.project_membership(ctx.db, tenant_id, ctx.actor.person)
    tenant = await store.find_tenant(ctx.db, tenant_id)
    if tenant is None:
        raise _over()
    return tenant


def token_of(secrets: Secrets, tenant: str, invitation: str, sent: int = 1) -> str:
    """The token of an invitation that was sent so many times; always the same."""
    return f"{ids.bare(tenant)}.{ids.bare(invitation)}.{_mac(secrets, tenant, invitation, sent)}"


async def _accept(ctx: Context, token: str) -> str:
    tenant, invitation, grantor = await _pending(ctx, token)
    if ctx.actor.via:
        raise PermissionDenied("Your company's sign-in opens its own tenant alone; sign in with your own password")
    user = await read_user(ctx.db, ctx.actor.person)
    if not crypto.equal(user.email_digest, invitation.email_digest):
        raise PermissionDenied("This invitation is for another e-mail address; sign in with the account of that one")
    if await store.find_member(ctx.db, tenant, user.id):
        raise AlreadyMember("You are a member of this tenant already")
    tx = Transaction(ctx, tenant)
    if grantor.key:
        tx.expect(grantor.key, "version", grantor.version)
    accepted = msgspec.structs.replace(invitation, status="accepted", accepted_by=user.id)
    tx.change(keys.invitation(tenant, invitation.id), invitation, accepted)
    tx.event(InvitationAccepted(invitation=invitation.id, user=user.id))
    holders.release(tx, invitation.role, invitation.id)
    join(tx, user.id, invitation.role)
    await tx.commit()
    return tenant


async def _pending(ctx: Context, token: str) -> tuple[str, Invitation, Grantor]:
    tenant, id_, mac = _parse(token)
    invitation = await store.find_invitation(ctx.db, tenant, id_)
    entered = await store.find_tenant(ctx.db, tenant)
    if entered is None or entered.status != "active":
        raise _over()
    if invitation is None or not crypto.equal(_mac(ctx.parts.secrets, tenant, id_, invitation.sent), mac):
        raise _over()
    if invitation.status == "revoked" or invitation.expires_at <= clock.now_ms():
        raise _over()
    if invitation.status == "accepted":
        raise AlreadyDone("This invitation was accepted before; sign in to see the tenant")
    grantor = await find_grantor(ctx, entered, invitation)
    if grantor is None:
        raise _over()
    return tenant, invitation, grantor


def _parse(token: str) -> tuple[str, str, str]:
    parsed = TOKEN.fullmatch(token)
    if parsed is None:
        raise _over()
    return f"ten_{parsed[1]}", f"ivt_{parsed[2]}", parsed[3]


def _mac(secrets: Secrets, tenant: str, invitation: str, sent: int) -> str:
    return crypto.derive(secrets.of("invitation"), tenant, invitation, str(sent)).hex()[:MAC_DIGITS]


async def _require_no_member(ctx: Context, address: EmailAddress) -> None:
    user = await find_by_email(ctx, address)
    if user and await store.find_member(ctx.db, ctx.tenant, user.id):
        raise AlreadyMember("The person with this e-mail address is a member already", field="email")


async def _resend(ctx: Context, id_: str) -> Invitation:
    invitation = await store.find_invitation(ctx.db, ctx.tenant, id_)
    if invitation is None:
        raise _no_invitation()
    require_grantable(ctx, invitation.role)
    if invitation.status != "pending":
        raise AlreadyDone(f"This invitation was {invitation.status}; invite the person anew")
    await _require_no_member(ctx, parse_email(invitation.email))
    await admit_invitation(ctx, invitation.email_digest)
    resent = msgspec.structs.replace(
        invitation,
        sent=invitation.sent + 1,
        invited_by=ctx.actor.id,
        expires_at=clock.now_ms() + LIFE_MS,
    )
    tx = Transaction(ctx, ctx.tenant)
    resent = tx.change(keys.invitation(ctx.tenant, id_), invitation, resent)
    tx.event(InvitationResent(invitation=id_))
    await tx.commit()
    return resent


async def _revoke(ctx: Context, id_: str) -> Invitation:
    invitation = await store.find_invitation(ctx.db, ctx.tenant, id_)
    if invitation is None:
        raise _no_invitation()
    require_grantable(ctx, invitation.role)
    if invitation.status == "accepted":
        raise AlreadyDone("This invitation was accepted; remove the member instead")
    if invitation.status == "revoked":
        return invitation
    tx = Transaction(ctx, ctx.tenant)
    holders.guard(ctx, tx)
    holders.release(tx, invitation.role, id_)
    revoked = msgspec.structs.replace(invitation, status="revoked")
    revoked = tx.change(keys.invitation(ctx.tenant, id_), invitation, revoked)
    tx.event(InvitationRevoked(invitation=id_))
    await tx.commit()
    return revoked


def _no_invitation() -> NotFound:
    return NotFound("This tenant has no such invitation")


def _over() -> LinkExpired:
    return LinkExpired("This invitation is not valid (any more); ask for a new one")
