"""A person leaves everything: the tenants, what their sign-in providers know of the person, and the invitations that
were addressed to them.

It reads the tenants' own slots, which decide; the person's list only follows and may be behind.
"""

import asyncio
import contextlib
import functools
from collections.abc import Collection

import msgspec

from veloflux.context import PLATFORM, Context
from veloflux.db import keys
from veloflux.errors import LastOwner, NotFound
from veloflux.events import InvitationForgotten, OidcForgotten
from veloflux.identity import email_digest, parse_email
from veloflux.tenants import holders, store
from veloflux.tenants.find import find, scope_of
from veloflux.tenants.members import remove_member
from veloflux.tenants.oidc_model import OidcLink
from veloflux.tenants.permissions import EVERYTHING, head_role
from veloflux.transaction import Transaction, decide


async def memberships(ctx: Context, user: str) -> list[str]:
    """Ids of all tenants that a person is a member of, from the tenants themselves."""
    return await store.memberships(ctx.db, user)


async def invitations_of(ctx: Context, user: str, digests: Collection[str]) -> list[tuple[str, str]]:
    """Tenant and id of each invitation that was to one of these addresses, or that the person accepted."""
    return await store.invitations_of(ctx.db, user, digests)


async def refuse_if_last(ctx: Context, user: str) -> None:
    """:raises LastOwner: without this person a tenant, which it names, had no owner, or the platform no operator."""
    headed = [tenant for tenant in await store.memberships(ctx.db, user) if await _needs(ctx, tenant, user)]
    slugs = [tenant.slug for tenant in await store.find_tenants(ctx.db, headed) if tenant.id != PLATFORM]
    if slugs:
        raise LastOwner(
            f"{', '.join(slugs)}: nobody else is owner there; make somebody owner, or delete the tenant first"
        )
    if headed:
        raise LastOwner("Nobody else is operator of this installation; make somebody operator first")


async def leave_all(ctx: Context, user: str) -> None:
    """End all memberships of a person; again is as once.

    :raises Conflict: the person has become the last owner of a tenant meanwhile.
    """
    for tenant in await store.memberships(ctx.db, user):
        found = await find(ctx, tenant)
        with contextlib.suppress(NotFound):  # somebody else removed them meanwhile
            await remove_member(ctx.within(scope_of(found), EVERYTHING), user)


async def forget_invitations(ctx: Context, user: str, digests: Collection[str]) -> None:
    """Let no invitation tell any more that it was for a person, and void those that wait; again is as once."""
    for tenant, invitation in await store.invitations_of(ctx.db, user, digests):
        await decide(functools.partial(_forget, ctx, tenant, invitation))


async def oidc_keys_of(ctx: Context, user: str, digests: Collection[str]) -> list[str]:
    """The keys by which tenants know a person from their provider, or wait for one of these addresses to say so."""
    known = await store.oidc_identities_of(ctx.db, user)
    return [keys.oidc_identity(tenant, identity.id) for tenant, identity in known] + [
        keys.oidc_link(tenant, link.id) for tenant, link in await _oidc_links_of(ctx, user, digests)
    ]


async def forget_oidc(ctx: Context, user: str, digests: Collection[str]) -> None:
    """Let no tenant know a person from its provider any more; again is as once."""
    for tenant, identity in await store.oidc_identities_of(ctx.db, user):
        await decide(functools.partial(_forget_identity, ctx, tenant, identity.id, user))
    for tenant, link in await _oidc_links_of(ctx, user, digests):
        tx = Transaction(ctx, tenant)
        tx.delete(keys.oidc_link(tenant, link.id))
        tx.event(OidcForgotten(identity=link.identity))
        await tx.commit()


async def _oidc_links_of(ctx: Context, user: str, digests: Collection[str]) -> list[tuple[str, OidcLink]]:
    found = await store.oidc_links(ctx.db)
    return [one for one in found if one[1].user == user or email_digest(ctx, parse_email(one[1].email)) in digests]


async def _forget_identity(ctx: Context, tenant: str, id_: str, user: str) -> None:
    identity = await store.find_oidc_identity(ctx.db, tenant, id_)
    if identity is None or identity.user != user:
        return
    tx = Transaction(ctx, tenant)
    tx.remove(keys.oidc_identity(tenant, id_), identity)
    tx.unrank(keys.oidc_identities(tenant), id_)
    tx.event(OidcForgotten(identity=id_))
    await tx.commit()


async def _needs(ctx: Context, tenant_id: str, user: str) -> bool:
    tenant, member = await asyncio.gather(
        store.find_tenant(ctx.db, tenant_id), store.find_member(ctx.db, tenant_id, user)
    )
    return bool(tenant and member and member.role == head_role(tenant_id) and tenant.owners < 2)


async def _forget(ctx: Context, tenant: str, id_: str) -> None:
    invitation = await store.find_invitation(ctx.db, tenant, id_)
    if invitation is None or not invitation.email_digest:
        return
    status = "revoked" if invitation.status == "pending" else invitation.status
    forgotten = msgspec.structs.replace(invitation, email="", email_digest="", status=status)
    tx = Transaction(ctx, tenant)
    tx.change(keys.invitation(tenant, id_), invitation, forgotten)
    tx.delete(keys.data_key(tenant, id_))
    holders.release(tx, invitation.role, id_)
    tx.event(InvitationForgotten(invitation=id_))
    await tx.commit()
