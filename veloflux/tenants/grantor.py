"""An invitation counts only while who sent it may still give its role: whoever was removed leaves no way back in."""

from collections.abc import Mapping
from typing import NamedTuple

from veloflux.context import PLATFORM, Context
from veloflux.db import keys
from veloflux.kit import clock
from veloflux.tenants import store
from veloflux.tenants.find import scope_of
from veloflux.tenants.model import ApiKey, Invitation, Member, Tenant
from veloflux.tenants.permissions import held, permissions_of

NEEDED = "members:write"


class Grantor(NamedTuple):
    """What in the tenant's slot says that the inviter may: a document and its version; "" where none does."""

    key: str = ""
    version: str = ""


async def find_grantor(ctx: Context, tenant: Tenant, invitation: Invitation) -> Grantor | None:
    """By what the inviter may invite to this role now; None: they may not any more.

    Operators and service keys may it by the platform's tenant, and who sits at the terminal by sitting there.
    """
    inviter = invitation.invited_by
    if not inviter.startswith(("usr_", "key_")):
        return Grantor()
    custom = scope_of(tenant).roles
    for place in (tenant.id, PLATFORM):
        by = await _document(ctx, place, inviter)
        if by and _allowed(by, custom) >= permissions_of(invitation.role, custom) | {NEEDED}:
            return Grantor(_key(place, inviter), str(by.version)) if place == tenant.id else Grantor()
    return None


async def _document(ctx: Context, tenant: str, inviter: str) -> Member | ApiKey | None:
    if inviter.startswith("usr_"):
        return await store.find_member(ctx.db, tenant, inviter)
    return await store.find_api_key(ctx.db, tenant, inviter)


def _key(tenant: str, inviter: str) -> str:
    return keys.member(tenant, inviter) if inviter.startswith("usr_") else keys.api_key(tenant, inviter)


def _allowed(by: Member | ApiKey, custom: Mapping[str, frozenset[str]]) -> frozenset[str]:
    if isinstance(by, Member):
        return permissions_of(by.role, custom)
    if by.status != "active" or (by.expires_at or clock.LATEST) <= clock.now_ms():
        return frozenset()
    return held(by.role, by.permissions, custom)
