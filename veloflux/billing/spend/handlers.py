"""What follows from events about what subscriptions cost: the list of the watched ones, and the e-mails."""

from pathlib import Path

from veloflux import tenants
from veloflux.billing import store
from veloflux.context import Context
from veloflux.db.jobs import Job
from veloflux.errors import NotFound
from veloflux.events import Recorded
from veloflux.kit import ids, money
from veloflux.notifications import compose
from veloflux.transaction import Transaction

SEND_SPEND = "send_spend"
MAILS = Path(__file__).parent / "mails"
MAIL_OF = {
    "spend.alert_reached": "spend_reached",
    "spend.forecast_reached": "spend_foreseen",
    "spend.cap_began": "spend_capped",
}


async def note_watched(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Of `spend.limits_set`: which subscriptions are looked at every few minutes."""
    await store.watch(ctx.db, event.owner, str(event.data["subscription"]), on=bool(event.data["watched"]))


async def forget_watched(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Of `tenant.deleted`."""
    for tenant, id_ in await store.watched(ctx.db):
        if tenant == event.owner:
            await store.watch(ctx.db, tenant, id_, on=False)


async def mail_spend(_ctx: Context, event: Recorded, tx: Transaction) -> None:
    """Of `spend.alert_reached`, `spend.forecast_reached` and `spend.cap_began`: the job that sends it."""
    job = ids.derived("job", event.owner, event.id, SEND_SPEND)
    payload = {"mail": MAIL_OF[event.name], "meter": str(event.data.get("meter", ""))}
    payload |= {name: str(event.data[name]) for name in ("subscription", "amount", "currency")}
    tx.enqueue(SEND_SPEND, payload, job=job)


async def send_spend(ctx: Context, job: Job, _tx: Transaction) -> None:
    """Write to the tenant's address for invoices, if it has one."""
    try:
        tenant = await tenants.find(ctx, job.owner)
    except NotFound:
        return
    record = await tenants.read_record(ctx.within(tenants.scope_of(tenant)))
    if not record.billing_email:
        return
    amount = money.shown(int(job.payload["amount"]), job.payload["currency"], tenant.language)
    message = compose(
        ctx.settings,
        job.id,
        to=record.billing_email,
        template=MAILS / f"{job.payload['mail']}.{tenant.language}.txt",
        tenant=tenant.name,
        amount=amount,
        meter=job.payload["meter"],
        link=f"{ctx.settings.console_url}/console/t/{tenant.slug}/usage",
    )
    await ctx.parts.mailer.send(job.id, message)
