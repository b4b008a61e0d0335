"""People for operators; every use case is within the platform's tenant, with what the actor's role there allows."""

import asyncio
from collections.abc import Iterable

import msgspec

from veloflux import identity, personal_data, tenants
from veloflux.context import Context
from veloflux.errors import Conflict, PermissionDenied
from veloflux.identity import Language, User
from veloflux.kit.page import LIMIT, LIMIT_MAX, Page
from veloflux.tenants import ROLES


class UserShown(msgspec.Struct, frozen=True, kw_only=True):
    """A person in a list; times in epoch ms, `platform_role` "" for who has none.

    `erase_at` is when they are erased, unless that is taken back.
    """

    id: str
    name: str
    email: str
    status: str
    language: Language
    platform_role: str
    created_at: int
    erase_at: int | None


class Belonging(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant that a person is a member of."""

    id: str
    slug: str
    name: str
    role: str


class PersonShown(UserShown, frozen=True, kw_only=True):
    """`seen_at` is when an open session was used last, exact to a minute; `sessions` counts those that are open.

    `factors` are the second factors that the person can sign in with.
    """

    tenants: list[Belonging]
    factors: list[str]
    sessions: int
    seen_at: int | None


async def list_people(
    ctx: Context, *, query: str = "", role: str = "", cursor: str = "", limit: int = LIMIT
) -> Page[UserShown]:
    """All people, latest first; or those whose e-mail or name begins with `query`; or those of a platform role.

    A page of a search may be short; go on with its cursor.
    """
    if role:
        return Page(await _shown(ctx, await _of_role(ctx, role, query)))
    found = await (
        identity.search_users(ctx, query, cursor, limit) if query.strip() else identity.list_users(ctx, cursor, limit)
    )
    return Page(await _shown(ctx, found.items), found.next)


async def show_person(ctx: Context, user: str) -> PersonShown:
    """:raises NotFound: no such person."""
    found = await identity.read_living(ctx.db, user)
    [shown], (sessions, seen_at), memberships, factors = await asyncio.gather(
        _shown(ctx, [found]),
        identity.last_seen(ctx.db, found),
        tenants.memberships_of(ctx, user),
        identity.read_factors(ctx.db, user),
    )
    return PersonShown(
        **msgspec.structs.asdict(shown),
        tenants=[Belonging(id=one.id, slug=one.slug, name=one.name, role=of.role) for one, of in memberships],
        factors=list(factors.methods),
        sessions=sessions,
        seen_at=seen_at,
    )


async def create_person(ctx: Context, *, name: str, email: str, language: Language = "en") -> UserShown:
    """Create a person, who gets a link to set a password. Errors as `identity.create_user`."""
    return await _one(ctx, await identity.create_user(ctx, name=name, email=email, language=language))


async def rename_person(ctx: Context, user: str, name: str) -> UserShown:
    """:raises NotFound, InputInvalid, PermissionDenied: see above."""
    await require_not_above(ctx, user)
    return await _one(ctx, await identity.rename_user(ctx, user, name))


async def end_sessions(ctx: Context, user: str) -> None:
    """End all sessions of a person. :raises NotFound, PermissionDenied: see above."""
    await require_not_above(ctx, user)
    await identity.end_sessions_of(ctx, user)


async def remove_factors(ctx: Context, user: str) -> UserShown:
    """Take away a person's second factors, for who lost them; whoever asks for them must have proved who they are.

    :raises NotFound, PermissionDenied: see above. :raises Conflict: the person has none.
    """
    await require_not_above(ctx, user)
    return await _one(ctx, await identity.remove_factors(ctx, user))


async def disable_person(ctx: Context, user: str) -> UserShown:
    """End the person's sessions and let none begin.

    :raises NotFound: no such person. :raises Conflict: disabled already, or a member of the platform.
    """
    await _require_outside(ctx, user)
    return await _one(ctx, await identity.disable_user(ctx, user))


async def enable_person(ctx: Context, user: str) -> UserShown:
    """Let a person sign in again, who is not to be erased any more either.

    :raises NotFound: no such person. :raises Conflict: the person is not disabled.
    """
    await require_not_above(ctx, user)
    await personal_data.cancel_erasure(ctx, user)
    return await _one(ctx, await identity.enable_user(ctx, user))


async def delete_person(ctx: Context, user: str) -> None:
    """Disable a person, and erase them when the days of grace are over; who enables them before has taken it back.

    :raises NotFound: no such person. :raises LastOwner: tenants, which are named, would have no owner left.
    :raises Conflict: a member of the platform.
    """
    await _require_outside(ctx, user)
    await personal_data.request_erasure(ctx, user, close=True)


async def require_not_above(ctx: Context, user: str) -> None:
    """:raises NotFound: no such person. :raises PermissionDenied: they may do more on the platform than the actor."""
    await identity.read_living(ctx.db, user)
    role = await tenants.platform_role_of(ctx, user)
    if role and not ROLES[role] <= ctx.permissions:
        raise PermissionDenied("This person may do more on the platform than you")


async def _require_outside(ctx: Context, user: str) -> None:
    await identity.read_living(ctx.db, user)
    if await tenants.platform_role_of(ctx, user):
        raise Conflict("This person is a member of the platform; remove them there first")


async def _of_role(ctx: Context, role: str, query: str) -> list[User]:
    members, cursor = list[str](), ""
    while True:  # as many pages as the platform's members fill
        page = await tenants.list_members(ctx, cursor, LIMIT_MAX)
        members += [member.id for member in page.items if member.role == role]
        if page.next is None:
            break
        cursor = page.next
    found = await identity.find_users(ctx.db, members)
    return [found[one] for one in members if one in found and identity.begins_so(found[one], query)]


async def _one(ctx: Context, user: User) -> UserShown:
    [shown] = await _shown(ctx, [user])
    return shown


async def _shown(ctx: Context, users: Iterable[User]) -> list[UserShown]:
    users = list(users)
    roles = await asyncio.gather(*(tenants.platform_role_of(ctx, user.id) for user in users))
    return [
        UserShown(
            id=user.id,
            name=user.name,
            email=user.email,
            status=user.status,
            language=user.language,
            platform_role=role or "",
            created_at=user.created_at,
            erase_at=user.erase_at,
        )
        for user, role in zip(users, roles, strict=True)
    ]
