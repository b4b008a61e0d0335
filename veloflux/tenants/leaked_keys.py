"""A key that somebody found where it should not be: its beginning says whose it is, and it is revoked."""

import re

import msgspec

from veloflux.context import Context
from veloflux.errors import Conflict, InputInvalid, NotFound
from veloflux.kit import ids
from veloflux.tenants.api_keys import SHOWN, digest_of, key_id, list_api_keys, revoke_api_key
from veloflux.tenants.find import find, scope_of
from veloflux.tenants.model import ApiKey, Tenant
from veloflux.tenants.permissions import EVERYTHING

BEGINNING = re.compile(rf"(vf_(?:live|test|pub)_([0-9a-z]{{1,26}})_)([0-9a-z]{{{SHOWN},32}})")
SECRET = 32


class LeakedKey(msgspec.Struct, frozen=True, kw_only=True):
    """The key as it is after it was revoked, and whose it is."""

    tenant: Tenant
    key: ApiKey


async def revoke_leaked_key(ctx: Context, prefix: str) -> LeakedKey:
    """Revoke the key of any tenant that begins so; the whole key will do too. For operators and the terminal.

    :raises InputInvalid: no key begins like this. :raises NotFound: there is no such key.
    :raises Conflict: several keys of the tenant begin so.
    """
    found = BEGINNING.fullmatch(prefix.strip())
    if found is None:
        raise InputInvalid("Give the key's beginning as lists show it, or the whole key: vf_live_…_…", field="prefix")
    start, bare, secret = found.groups()
    tenant = await find(ctx, f"ten_{bare}") if ids.is_id(f"ten_{bare}", "ten") else None
    if tenant is None:
        raise _no_key()
    inside = ctx.within(scope_of(tenant), EVERYTHING)
    digest = digest_of("publishable" if start.startswith("vf_pub_") else "secret", secret)
    id_ = key_id(digest) if len(secret) == SECRET else await _only(inside, start + secret[:SHOWN])
    return LeakedKey(tenant=tenant, key=await revoke_api_key(inside, id_))


async def _only(ctx: Context, prefix: str) -> str:
    """The id of the one key with this prefix; one that still works goes before those that were revoked."""
    matching: list[ApiKey] = []
    cursor: str | None = ""
    while cursor is not None:  # as many pages as the tenant's keys fill
        page = await list_api_keys(ctx, cursor)
        matching += [key for key in page.items if key.prefix == prefix]
        cursor = page.next
    candidates = [key for key in matching if key.status == "active"] or matching[:1]
    if not candidates:
        raise _no_key()
    if len(candidates) > 1:
        names = ", ".join(key.id for key in candidates)
        raise Conflict(f"Several keys of this tenant begin so; revoke by the whole key, or by id: {names}")
    return candidates[0].id


def _no_key() -> NotFound:
    return NotFound("No tenant has a key that begins so")
