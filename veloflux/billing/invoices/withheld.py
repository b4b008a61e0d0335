"""What a tenant withheld waits for the proof that it paid that to the state, in our name. Nobody is dunned for it."""

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from veloflux import ledger
from veloflux.billing import store
from veloflux.billing.model import Invoice, Proof
from veloflux.billing.payments.pay import Amount
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import InputInvalid, MoveImpossible
from veloflux.events import WithheldProven
from veloflux.kit.page import Page
from veloflux.transaction import Transaction, decide

PROOFS_MAX = 50


class ProofGiven(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`document` names it, as a DARF or DAM has its number; `date` is when the tax was paid."""

    document: Annotated[str, Meta(min_length=1, max_length=100, examples=["DARF 07.20.26327.1234567-8"])]
    date: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$", examples=["2026-11-20"])]
    amount: Amount


async def prove(ctx: Context, id_: str, given: ProofGiven) -> Invoice:
    """Note that a tenant paid some of what it withheld of an invoice; the same proof again changes nothing.

    :raises NotFound: there is no such invoice. :raises MoveImpossible: it is not final, or void.
    :raises InputInvalid: more than is withheld and not proven, or no such date.
    """
    try:
        date.fromisoformat(given.date)
    except ValueError:
        raise InputInvalid(f"There is no day {given.date}", field="date") from None
    return await decide(lambda: _prove(ctx, id_, Proof(given.document, given.date, given.amount)))


async def unproven(ctx: Context, cursor: str, limit: int) -> Page[Invoice]:
    """Invoices of which the tenant withheld what it has not proven, the newest first."""
    return await store.unproven(ctx.db, ctx.tenant, cursor, limit)


async def _prove(ctx: Context, id_: str, proof: Proof) -> Invoice:
    invoice = await store.invoice(ctx, id_)
    if invoice.status in ("draft", "void"):
        raise MoveImpossible(f"This invoice is {invoice.status}; nothing is withheld of it", state=invoice.status)
    if proof in invoice.proofs:
        return invoice
    if proof.amount > invoice.unproven or len(invoice.proofs) >= PROOFS_MAX:
        raise InputInvalid(f"Of this invoice {invoice.unproven} minor units wait for a proof", field="amount")
    tx = Transaction(ctx, ctx.tenant)
    of = str(len(invoice.proofs))
    ledger.post(tx, ledger.withheld_proven(id_, ctx.now(), invoice.currency, proof.amount, of))
    after = replace(invoice, proofs=(*invoice.proofs, proof))
    if not after.unproven:
        tx.unrank(keys.unproven(ctx.tenant), id_)
    tx.event(WithheldProven(invoice=id_, amount=proof.amount))
    after = tx.change(keys.invoice(ctx.tenant, id_), invoice, after)
    await tx.commit()
    return after
