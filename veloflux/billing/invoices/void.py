"""An invoice was wrong: nothing of it holds, its postings are reversed, one by one. Its number stays used."""

from msgspec.structs import replace

from veloflux import ledger
from veloflux.billing import store
from veloflux.billing.arithmetic.take_back import uncharged
from veloflux.billing.fiscal import requests as fiscal_requests
from veloflux.billing.invoices.deferrals import take_away
from veloflux.billing.model import Invoice
from veloflux.billing.payments.settle import follow
from veloflux.billing.states import INVOICE, move
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import Conflict
from veloflux.events import InvoiceVoided
from veloflux.transaction import Transaction, decide


async def void(ctx: Context, id_: str) -> Invoice:
    """Void an invoice that nobody has paid; what the wallet paid of it returns there.

    :raises NotFound: there is no such invoice. :raises MoveImpossible: it is paid, or void, or not final yet.
    :raises Conflict: something of it was paid, credited or proven.
    """
    return await decide(lambda: _void(ctx, id_))


async def _void(ctx: Context, id_: str) -> Invoice:
    invoice = await store.invoice(ctx, id_)
    after = replace(invoice, status=move(INVOICE, invoice.status, "void"), settled_at=ctx.now())
    if invoice.paid or invoice.credited or invoice.proofs or invoice.charging:
        raise Conflict("Something of this invoice was paid, credited or proven, or is being paid; credit it instead")
    tx = Transaction(ctx, ctx.tenant)
    assert invoice.issued_at is not None
    for posted in await ledger.postings_of(ctx.db, ctx.tenant, id_, invoice.issued_at):
        ledger.post(tx, ledger.voided(posted, ctx.now()))
    await take_away(ctx, tx, id_)
    tx.unrank(keys.unproven(ctx.tenant), id_)
    places = {place: line.net for place, line in enumerate(invoice.lines)}
    tx.event(InvoiceVoided(invoice=id_))
    await fiscal_requests.withdraw(ctx, tx, id_, fiscal_requests.VOIDED)
    await follow(ctx, tx, after, lambda sub: uncharged(sub, invoice, places), resumes=True)
    after = tx.change(keys.invoice(ctx.tenant, id_), invoice, after)
    await tx.commit()
    return after
