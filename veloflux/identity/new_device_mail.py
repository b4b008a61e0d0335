"""The e-mail that tells a person of a sign-in from where they were not seen before.

It is sent even if the session is over meanwhile: else a thief would only have to be quick.
"""

from datetime import UTC, datetime
from pathlib import Path

from veloflux.context import Context
from veloflux.db.jobs import Job
from veloflux.events import Recorded
from veloflux.identity import store
from veloflux.kit import ids
from veloflux.notifications import compose
from veloflux.transaction import Transaction

SEND_NEW_DEVICE = "send_new_device"
MAILS = Path(__file__).parent / "mails"


async def mail_new_device(_ctx: Context, event: Recorded, tx: Transaction) -> None:
    """Of `session.started`: the job that sends it, if the device is new."""
    if event.data["new_device"]:
        job = ids.derived("job", event.owner, event.id, SEND_NEW_DEVICE)
        tx.enqueue(SEND_NEW_DEVICE, {"device": str(event.data["device"]), "at": str(event.at)}, job=job)


async def send_new_device(ctx: Context, job: Job, _tx: Transaction) -> None:
    """Write to the person whose account it is."""
    user = await store.find_user(ctx.db, job.owner)
    if user is None or user.status == "erased":
        return
    message = compose(
        ctx.settings,
        job.id,
        to=user.email,
        template=MAILS / f"new_device.{user.language}.txt",
        device=job.payload["device"],
        at=datetime.fromtimestamp(int(job.payload["at"]) / 1000, UTC).strftime("%Y-%m-%d %H:%M"),
        link=f"{ctx.settings.console_url}/console/account",
    )
    await ctx.parts.mailer.send(job.id, message)
