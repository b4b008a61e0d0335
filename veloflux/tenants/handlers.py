"""What follows from a tenant's events: the lists that other slots keep, and the invitation's e-mail."""

from veloflux.context import PLATFORM, Context
from veloflux.events import Recorded
from veloflux.kit import ids
from veloflux.tenants import store
from veloflux.tenants.jobs import SEND_INVITATION
from veloflux.transaction import Transaction


async def index_tenant(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Of `tenant.created`: the list of all tenants, where the platform's own has no place."""
    tenant = await store.find_tenant(ctx.db, event.owner)
    if tenant and tenant.id != PLATFORM:
        await store.project_tenant(ctx.db, tenant.id, tenant.created_at)


async def follow_membership(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Of `member.joined` and `member.removed`: the person's list of tenants."""
    await store.project_membership(ctx.db, event.owner, str(event.data["user"]))


async def mail_invitation(_ctx: Context, event: Recorded, tx: Transaction) -> None:
    """Of `invitation.created`: the job that sends it."""
    job = ids.derived("job", event.owner, event.id, SEND_INVITATION)
    tx.enqueue(SEND_INVITATION, {"invitation": str(event.data["invitation"])}, job=job)
