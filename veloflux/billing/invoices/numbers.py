"""Numbers of invoices and credit notes, without gaps: each tenant's own, or one row for all of the operator's.

A tenant's number is given in the commit that makes the document. The operator's row lies in another slot: the document
waits (`awaiting_number`), a script in the operators' slot answers the same number however often it is asked for a
document, and a second commit writes it.
"""

from veloflux.billing import store
from veloflux.context import Context
from veloflux.db import keys
from veloflux.transaction import Transaction

PREFIXES = {"invoice": "INV", "credit_note": "CN"}


async def next_number(ctx: Context, tx: Transaction, kind: str) -> str:
    """The number that a commit gives its document; "" where it must wait for one of the operator's."""
    if ctx.settings.invoice_numbers == "operator":
        return ""
    last = await store.last_number(ctx.db, ctx.tenant, kind)
    number = str(int(last or 0) + 1)
    tx.expect(keys.invoice_numbers(ctx.tenant), kind, last)
    tx.put(keys.invoice_numbers(ctx.tenant), {kind: number})
    return shown(kind, int(number))


async def operators_number(ctx: Context, kind: str, document: str) -> str:
    """The number of a document in the operator's row: the next one when it is first asked for, then always that one."""
    return shown(kind, await store.number_of(ctx.db, kind, document))


def shown(kind: str, number: int) -> str:
    """How people read it.

    >>> shown("invoice", 42)
    'INV-000042'
    """
    return f"{PREFIXES[kind]}-{number:06d}"
