"""The e-mails about an invoice that could not be collected, each of a job: to the billing address on the invoice.

What a mail says is settled when its step is done, so that it says the same however late it is written.
"""

from datetime import datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from babel.dates import format_date

from veloflux.billing import store
from veloflux.billing.invoices import buyer
from veloflux.billing.model import Invoice
from veloflux.context import Context
from veloflux.db.jobs import Job
from veloflux.kit import ids, money
from veloflux.notifications import compose
from veloflux.transaction import Transaction

SEND_DUNNING = "send_dunning"
MAILS = Path(__file__).parent / "mails"
Mail = Literal["payment_failed", "payment_failed_last", "unpaid"]


def mail(tx: Transaction, invoice: Invoice, kind: Mail, step: int, *, until: int = 0, done: str = "") -> None:
    """Part of the commit of a step: the job that writes to the tenant. `until` is when the next step is due (epoch ms),
    `done` what happened because nobody paid: cancelled, suspended, or nothing."""
    payload = {"invoice": invoice.id, "mail": kind, "due": str(invoice.due), "until": str(until), "done": done}
    tx.enqueue(SEND_DUNNING, payload, job=ids.derived("job", invoice.id, SEND_DUNNING, str(step)))


async def send_dunning(ctx: Context, job: Job, _tx: Transaction) -> None:
    """Write it; to nobody where the invoice has no address."""
    invoice = await store.find_invoice(ctx.db, job.owner, job.payload["invoice"])
    if invoice is None or not (to := (await buyer.opened(ctx, invoice)).email):
        return
    message = compose(
        ctx.settings,
        job.id,
        to=to,
        template=MAILS / f"{job.payload['mail']}.{invoice.language}.txt",
        number=invoice.number,
        amount=money.shown(int(job.payload["due"]), invoice.currency, invoice.language),
        until=_day(int(job.payload["until"]), invoice),
        done=job.payload["done"],
        link=f"{ctx.settings.console_url}/console",
    )
    await ctx.parts.mailer.send(job.id, message)


def _day(at: int, invoice: Invoice) -> str:
    day = datetime.fromtimestamp(at / 1000, ZoneInfo(invoice.zone))
    return format_date(day, "long", locale=invoice.language.replace("-", "_"))
