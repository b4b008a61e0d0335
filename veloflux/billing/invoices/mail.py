"""An invoice goes to the tenant's billing e-mail with its PDF and the link to its page: when it becomes final and asks
for money, and whenever somebody wants it to be sent again.
"""

from pathlib import Path

import msgspec

from veloflux import tenants
from veloflux.billing import store
from veloflux.billing.invoices.link import link_of
from veloflux.billing.invoices.reading import render_invoice
from veloflux.billing.model import Invoice
from veloflux.billing.printing.printed import printed
from veloflux.billing.printing.rendered import writing_of
from veloflux.billing.states import INVOICE, move
from veloflux.context import Context
from veloflux.db.jobs import Job
from veloflux.events import InvoiceFinalised, InvoiceResent, Recorded
from veloflux.kit import ids
from veloflux.notifications import compose
from veloflux.transaction import Transaction

SEND_INVOICE = "send_invoice"
MAILS = Path(__file__).parent / "mails"


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an e-mail is on its way, and where to; a tenant without a billing e-mail gets none."""

    sent: bool
    to: str


async def resend_invoice(ctx: Context, id_: str) -> Sending:
    """Send an invoice to the tenant's billing e-mail once more; without one, nothing happens.

    :raises NotFound: the tenant has no such invoice. :raises MoveImpossible: it is a draft, has no number or is void.
    """
    invoice = await store.invoice(ctx, id_)
    move(INVOICE, invoice.status, "resend")
    to = (await tenants.read_record(ctx)).billing_email
    if to:
        tx = Transaction(ctx, ctx.tenant)
        tx.event(InvoiceResent(invoice=invoice.id))
        tx.enqueue(SEND_INVOICE, {"invoice": invoice.id})
        await tx.commit()
    return Sending(sent=bool(to), to=to)


async def mail_invoice(ctx: Context, event: Recorded, tx: Transaction) -> None:
    """Of `invoice.finalised` and `invoice.numbered`: the job that sends it, as soon as it has its number."""
    if event.name == InvoiceFinalised.name and event.data["status"] != "open":
        return
    if ctx.scope is None or not (await tenants.read_record(ctx)).billing_email:
        return
    invoice = await store.find_invoice(ctx.db, event.owner, str(event.data["invoice"]))
    if invoice and _asked(invoice):
        job = ids.derived("job", event.owner, event.id, SEND_INVOICE)
        tx.enqueue(SEND_INVOICE, {"invoice": invoice.id}, job=job)


async def send_invoice(ctx: Context, job: Job, _tx: Transaction) -> None:
    """Write to who gets the tenant's invoices; not if it became void meanwhile."""
    invoice = await store.find_invoice(ctx.db, job.owner, job.payload["invoice"])
    if invoice is None or ctx.scope is None or invoice.status not in INVOICE.moves["resend"].origins:
        return
    if to := (await tenants.read_record(ctx)).billing_email:
        await _send(ctx, job.id, invoice, to)


async def _send(ctx: Context, id_: str, invoice: Invoice, to: str) -> None:
    document, writing = await render_invoice(ctx, invoice.id), writing_of(invoice)
    assert invoice.totals
    message = compose(
        ctx.settings,
        id_,
        to=to,
        template=MAILS / f"invoice.{invoice.language}.txt",
        number=invoice.number,
        seller=document.seller[1].name,
        buyer=document.buyer[1].name,
        total=writing.money(invoice.totals.net),
        due=writing.money(invoice.due),
        due_on=writing.day(invoice.due_at) if invoice.due else "",
        link=link_of(ctx, invoice),
    )
    pdf = await printed(document)
    message.add_attachment(pdf.content, maintype="application", subtype="pdf", filename=pdf.name)
    await ctx.parts.mailer.send(id_, message)


def _asked(invoice: Invoice) -> bool:
    """Whether it asked for money when it became final."""
    return invoice.totals is not None and invoice.totals.net > invoice.credit
