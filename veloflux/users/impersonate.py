"""Who may act as whom, and that the tenants learn of it."""

from veloflux import identity, tenants
from veloflux.context import PLATFORM, Context, Parts
from veloflux.errors import Conflict, NotAuthenticated, PermissionDenied
from veloflux.events import ImpersonationNoted, Recorded
from veloflux.identity import Caller, SignedIn
from veloflux.kit import ids
from veloflux.tenants import ROLES
from veloflux.transaction import Transaction
from veloflux.users.people import require_not_above

PERMISSION = "users:impersonate"


async def impersonate(ctx: Context, user: str, reason: str, minutes: int = identity.MINUTES) -> SignedIn:
    """A session in which the actor acts as a person.

    :raises PermissionDenied: the person may do more on the platform than the actor, or a program asks.
    :raises Conflict: the person is the actor, or disabled. Others as `identity.start_impersonation`.
    """
    if not ctx.actor.person and not ctx.actor.id.startswith("cli:"):
        raise PermissionDenied("Only a person can act as another one, not a key")
    if user == ctx.actor.person:
        raise Conflict("You are this person")
    await require_not_above(ctx, user)
    return await identity.start_impersonation(ctx, user, reason, minutes)


async def authenticate(parts: Parts, token: str) -> Caller:
    """Who a session token is; of an impersonation, only as long as the one who acts still may.

    :raises NotAuthenticated: the token is none, or its session is over.
    """
    person = await identity.authenticate(parts, token)
    if person.impersonator and not await _still_may(Context(parts=parts), person.impersonator):
        raise NotAuthenticated("This session is over; sign in again")
    return person


async def note_impersonation(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Of `impersonation.started`: the trails of the platform and of every tenant that the person is a member of."""
    found = await tenants.memberships_of(ctx, event.owner)
    said = {name: str(event.data[name]) for name in ("user", "impersonation", "impersonator")}
    for tenant in (PLATFORM, *(tenant.id for tenant, _ in found)):
        tx = Transaction(ctx, tenant)
        tx.once(event.owner, event.id, "note_impersonation")
        tx.event(ImpersonationNoted(**said))
        await tx.commit()


async def _still_may(ctx: Context, impersonator: str) -> bool:
    if not ids.is_id(impersonator, "usr"):
        return True  # who sits at the machine may end sessions there
    found = await identity.find_users(ctx.db, [impersonator])
    role = await tenants.platform_role_of(ctx, impersonator)
    return bool(found and found[impersonator].status == "active" and role and PERMISSION in ROLES[role])
