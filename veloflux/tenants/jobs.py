"""The tenant's e-mails."""

from pathlib import Path

from veloflux.context import Context
from veloflux.db.jobs import Job
from veloflux.kit import clock
from veloflux.notifications import compose, delete_message
from veloflux.tenants import store
from veloflux.tenants.invitations import token_of
from veloflux.transaction import Transaction

SEND_INVITATION = "send_invitation"
MAILS = Path(__file__).parent / "mails"


async def send_invitation(ctx: Context, job: Job, _tx: Transaction) -> None:
    """Write to the invited person; not any more if the invitation was revoked or is over meanwhile."""
    tenant = await store.find_tenant(ctx.db, job.owner)
    invitation = await store.find_invitation(ctx.db, job.owner, job.payload["invitation"])
    if tenant is None or invitation is None:
        return
    if invitation.status != "pending" or invitation.expires_at <= clock.now_ms():
        return
    token = token_of(ctx.parts.secrets, tenant.id, invitation.id, invitation.sent)
    message = compose(
        ctx.settings,
        job.id,
        to=invitation.email,
        template=MAILS / f"invitation.{tenant.language}.txt",
        tenant=tenant.name,
        link=f"{ctx.settings.console_url}/console/invitations/{token}",
    )
    await ctx.parts.mailer.send(job.id, message)
    now = await store.find_invitation(ctx.db, tenant.id, invitation.id)
    if now is None or not now.email:  # who erases the invited person looked before this message was there
        await delete_message(ctx, job.id)
