"""Tenants and what belongs to them, as they lie in Redis."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Iterable
from typing import Any, TypeVar

from veloflux import identity
from veloflux.context import PLATFORM, Context
from veloflux.db import documents, keys, names, ranking, scripts
from veloflux.db.client import Db
from veloflux.db.documents import Entity
from veloflux.db.names import Name
from veloflux.kit.pace import Pace
from veloflux.kit.page import LIMIT_MAX, Page
from veloflux.tenants.model import IN_USE, TO_RESTORE, ApiKey, Invitation, Member, Rollout, Tenant, TenantRecord, Token
from veloflux.tenants.oidc_model import OidcConnection, OidcIdentity, OidcLink

E = TypeVar("E", bound=Entity)
NOTE_USE = scripts.load("tenants", "note_use")
ADMIT = scripts.load("tenants", "admit")
AUTHENTICATE = scripts.load("tenants", "authenticate")
SLUGS_CACHED = 10_000
NOBODY = "ten_nobody"
"""Stands for the tenant that there is not: asking for one that is somebody else's takes the same calls."""
# Hints only: whoever uses one looks into the tenant's document. Each belongs to an actor who was let in: to others, a
# slug that this process has met must not be found any faster than one that nobody has.
_ids_by_slug: OrderedDict[tuple[str, str], str] = OrderedDict()


def slug_name(slug: str) -> Name:
    return Name("slug", slug, field="slug")


async def find_tenant(db: Db, tenant: str) -> Tenant | None:
    return await _find(db, Tenant, keys.tenant(tenant))


async def find_record(db: Db, tenant: str) -> TenantRecord | None:
    return await _find(db, TenantRecord, keys.tenant_record(tenant))


async def find_rollout(db: Db) -> Rollout | None:
    return documents.from_pairs(Rollout, await db.call("HGETALL", keys.rollout(PLATFORM)))


async def find_by_slug(db: Db, slug: str, actor: str = "") -> Tenant | None:
    """The tenant with a slug: in one round trip if the actor was let in before, else in two, even if there is none."""
    return await _carrying(db, slug, _ids_by_slug.get((actor, slug))) or await _carrying(
        db, slug, await names.claimant(db, slug_name(slug)) or NOBODY
    )


def remember(actor: str, tenant: Tenant) -> None:
    """Note that an actor was let into a tenant: its slug is found sooner then."""
    _ids_by_slug[actor, tenant.slug] = tenant.id
    while len(_ids_by_slug) > SLUGS_CACHED:
        _ids_by_slug.popitem(last=False)


async def find_member(db: Db, tenant: str, user: str) -> Member | None:
    return await _find(db, Member, keys.member(tenant, user))


async def has_members(db: Db, tenant: str) -> bool:
    return bool(await db.call("EXISTS", keys.members(tenant)))


async def find_invitation(db: Db, tenant: str, invitation: str) -> Invitation | None:
    return await _find(db, Invitation, keys.invitation(tenant, invitation))


async def find_api_key(db: Db, tenant: str, api_key: str) -> ApiKey | None:
    return await _find(db, ApiKey, keys.api_key(tenant, api_key))


async def find_token(db: Db, tenant: str, token: str) -> Token | None:
    return await _find(db, Token, keys.token(tenant, token))


async def tokens_over(db: Db, tenant: str, now: int, count: int) -> list[str]:
    """Ids of tokens that are over and still in the list, at most so many; `now` in epoch ms."""
    return list(await db.call("ZRANGE", keys.tokens(tenant), "-inf", now, "BYSCORE", "LIMIT", 0, count))


async def run_note_use(db: Db, tenant: str, api_key: str) -> None:
    """Note that a key is used, at most once a minute."""
    await db.script(NOTE_USE, [keys.api_key(tenant, api_key)], [])


async def run_admit(db: Db, tenant: str, api_key: str, limit: str, pace: Pace) -> tuple[ApiKey | None, int]:
    """An active API key, None if there is none, and the µs that its limit is used up.

    :raises LimitReached: one more call with it may not come yet.
    """
    return _admitted(ApiKey, await db.script(ADMIT, [keys.api_key(tenant, api_key), limit], list(pace)), pace)


async def run_authenticate(db: Db, kind: type[E], key: str, digest: str, pace: Pace) -> tuple[E | None, int]:
    """What stands under a key if its secret has the digest, else None, and the µs that its limit is used up.

    :raises LimitReached: one more call with it may not come yet.
    """
    return _admitted(kind, await db.script(AUTHENTICATE, [key], [digest, *pace]), pace)


def _admitted(kind: type[E], answer: list[Any], pace: Pace) -> tuple[E | None, int]:
    match answer:
        case ["OK", fields, ahead]:
            return documents.from_pairs(kind, fields), ahead
        case ["RATE", wait_us]:
            raise identity.too_fast("key", pace, wait_us)
    return None, 0


async def tenants_page(ctx: Context, cursor: str, limit: int, *, archived: bool) -> Page[Tenant]:
    """All tenants in use, or all that are archived or wait for their deletion; newest first."""
    ids, following = await ranking.newest(ctx.db, _index(archived=archived), cursor, limit)
    return Page(await find_tenants(ctx.db, ids), following)


async def tenant_ids(db: Db, cursor: str, *, archived: bool) -> tuple[list[str], str | None]:
    """Some of the same, and the cursor of the next ones."""
    return await ranking.newest(db, _index(archived=archived), cursor, LIMIT_MAX)


def _index(*, archived: bool) -> str:
    return keys.tenants_archived() if archived else keys.tenants()


async def members_page(ctx: Context, cursor: str, limit: int) -> Page[Member]:
    ids, following = await ranking.newest(ctx.db, keys.members(ctx.tenant), cursor, limit)
    return Page(await _find_all(ctx.db, Member, [keys.member(ctx.tenant, one) for one in ids]), following)


async def invitations_page(ctx: Context, cursor: str, limit: int) -> Page[Invitation]:
    ids, following = await ranking.newest(ctx.db, keys.invitations(ctx.tenant), cursor, limit)
    return Page(await _find_all(ctx.db, Invitation, [keys.invitation(ctx.tenant, one) for one in ids]), following)


async def api_keys_page(ctx: Context, cursor: str, limit: int) -> Page[ApiKey]:
    ids, following = await ranking.newest(ctx.db, keys.api_keys(ctx.tenant), cursor, limit)
    return Page(await _find_all(ctx.db, ApiKey, [keys.api_key(ctx.tenant, one) for one in ids]), following)


async def tokens_page(ctx: Context, cursor: str, limit: int) -> Page[Token]:
    ids, following = await ranking.newest(ctx.db, keys.tokens(ctx.tenant), cursor, limit)
    return Page(await _find_all(ctx.db, Token, [keys.token(ctx.tenant, one) for one in ids]), following)


async def find_tenants(db: Db, tenants: Iterable[str]) -> list[Tenant]:
    """The tenants with these ids, without those that are gone."""
    return await _find_all(db, Tenant, [keys.tenant(one) for one in tenants])


async def tenants_of(db: Db, user: str) -> list[str]:
    """Ids of the tenants that a person may be a member of; the tenants themselves decide."""
    return list(await db.call("HKEYS", keys.user_tenants(user)))


async def project_tenant(db: Db, tenant: str) -> None:
    """Put a tenant into the list where it belongs by what its document says now; again is as once."""
    found = await find_tenant(db, tenant)
    if found is None:
        return
    for index, members in ((keys.tenants(), IN_USE), (keys.tenants_archived(), TO_RESTORE)):
        if found.status in members:
            await db.call("ZADD", index, found.created_at, tenant)
        else:
            await db.call("ZREM", index, tenant)


async def project_membership(db: Db, tenant: str, user: str) -> None:
    """Write into the person's list what the tenant says now; again is as once."""
    member = await find_member(db, tenant, user)
    if member:
        await db.call("HSET", keys.user_tenants(user), tenant, member.role)
    else:
        await db.call("HDEL", keys.user_tenants(user), tenant)


async def write_setup(db: Db, digest: str, life_ms: int) -> None:
    """Keep the digest of the setup link's token instead of an older one."""
    await db.call("SET", keys.setup(PLATFORM), digest, "PX", life_ms)


async def read_setup(db: Db) -> str:
    """The digest of the setup link's token, or "" when none can be used."""
    return await db.call("GET", keys.setup(PLATFORM)) or ""


async def _carrying(db: Db, slug: str, tenant_id: str | None) -> Tenant | None:
    tenant = await find_tenant(db, tenant_id) if tenant_id else None
    return tenant if tenant and tenant.slug == slug else None


async def _find(db: Db, kind: type[E], key: str) -> E | None:
    return documents.from_pairs(kind, await db.call("HGETALL", key))


async def _find_all(db: Db, kind: type[E], paths: list[str]) -> list[E]:
    found = await asyncio.gather(*(_find(db, kind, path) for path in paths))
    return [each for each in found if each]


async def first_members(db: Db, tenant: str, count: int) -> list[str]:
    """Ids of those who joined first."""
    return list(await db.call("ZRANGE", keys.members(tenant), 0, count - 1))


async def role_holders(db: Db, tenant: str, role: str, count: int) -> list[str]:
    """Ids of those who have a custom role, the first ones to get it."""
    return list(await db.call("ZRANGE", keys.role_holders(tenant, role), 0, count - 1))


async def memberships(db: Db, user: str) -> list[str]:
    """Ids of all tenants that a person is a member of, from the tenants themselves. It looks at every key's name."""
    return [keys.owner_in(key) for key in await db.bulk.scan(keys.entry("member").glob(user=user))]


async def invitations_of(db: Db, user: str, digests: Collection[str]) -> list[tuple[str, str]]:
    """Tenant and id of each invitation to an address with one of these digests, or that the person accepted.

    It reads all invitations.
    """
    found = []
    for key in await db.bulk.scan(keys.entry("invitation").glob()):
        digest, accepted_by = await db.bulk.call("HMGET", key, "email_digest", "accepted_by")
        if digest and (digest in digests or accepted_by == user):
            found.append((keys.owner_in(key), key.rpartition(":")[2]))
    return found


async def find_oidc(db: Db, tenant: str | None) -> OidcConnection | None:
    """A tenant's sign-in provider; as many round trips where there is no tenant."""
    return await _find(db, OidcConnection, keys.oidc(tenant or PLATFORM))


async def find_oidc_identity(db: Db, tenant: str, identity: str) -> OidcIdentity | None:
    return await _find(db, OidcIdentity, keys.oidc_identity(tenant, identity))


async def find_oidc_link(db: Db, tenant: str, link: str) -> OidcLink | None:
    return await _find(db, OidcLink, keys.oidc_link(tenant, link))


async def oidc_identities_of(db: Db, user: str) -> list[tuple[str, OidcIdentity]]:
    """What all tenants know a person by, each with its tenant. It reads all identities."""
    found = await _everywhere(db, OidcIdentity, "oidc_identity")
    return [(tenant, identity) for tenant, identity in found if identity.user == user]


async def oidc_links(db: Db) -> list[tuple[str, OidcLink]]:
    """All first sign-ins that wait for their address, each with its tenant."""
    return await _everywhere(db, OidcLink, "oidc_link")


async def oidc_link_keys(db: Db, tenant: str) -> list[str]:
    """The keys of a tenant's first sign-ins that wait. It looks at every key's name."""
    return [key for key in await db.bulk.scan(keys.entry("oidc_link").glob()) if keys.owner_in(key) == tenant]


async def mark_oidc_state(db: Db, tenant: str, state: str, life_ms: int) -> bool:
    """Use a state; False: it was used before."""
    return await db.call("SET", keys.oidc_state(tenant, state), "1", "NX", "PX", life_ms) is not None


async def _everywhere(db: Db, kind: type[E], entry: str) -> list[tuple[str, E]]:
    """All entities of a kind, each with its tenant. It looks at every key's name."""
    names = await db.bulk.scan(keys.entry(entry).glob())
    rows = [(keys.owner_in(name), documents.from_pairs(kind, await db.bulk.call("HGETALL", name))) for name in names]
    return [(tenant, found) for tenant, found in rows if found]
