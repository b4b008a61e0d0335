"""An invoice is given up: it stays owed, as a bad debt, but nobody asks for it any more."""

from msgspec.structs import replace

from veloflux import ledger
from veloflux.billing import store
from veloflux.billing.model import Invoice
from veloflux.billing.payments.settle import follow
from veloflux.billing.states import INVOICE, move
from veloflux.context import Context
from veloflux.db import keys
from veloflux.events import InvoiceUncollectible
from veloflux.transaction import Transaction, decide


async def write_off(ctx: Context, id_: str) -> Invoice:
    """Give up what is left of an invoice. A suspended tenant stays so until it is resumed, or pays after all.

    :raises NotFound: there is no such invoice. :raises MoveImpossible: it is not open.
    """
    return await decide(lambda: _write_off(ctx, id_))


async def _write_off(ctx: Context, id_: str) -> Invoice:
    invoice = await store.invoice(ctx, id_)
    after = replace(invoice, status=move(INVOICE, invoice.status, "write_off"))
    tx = Transaction(ctx, ctx.tenant)
    ledger.post(tx, ledger.written_off(id_, ctx.now(), invoice.currency, invoice.left))
    tx.event(InvoiceUncollectible(invoice=id_))
    await follow(ctx, tx, after, lambda sub: sub, resumes=False)
    after = tx.change(keys.invoice(ctx.tenant, id_), invoice, after)
    await tx.commit()
    return after
