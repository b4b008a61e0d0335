"""Something of an invoice is taken back, line by line or all of it: a credit note.

It settles what is still to be paid first; the rest goes to the wallet, or is refunded. What the tenant withheld of it
is withheld no more, as long as it did not prove that it paid that: then it gets it back.
"""

import asyncio
from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from veloflux import ledger
from veloflux.billing import agenda, store
from veloflux.billing.agenda import Item
from veloflux.billing.arithmetic import creditable as credit_notes
from veloflux.billing.arithmetic.creditable import Credited
from veloflux.billing.arithmetic.take_back import uncharged
from veloflux.billing.arithmetic.totals import Document
from veloflux.billing.fiscal import requests as fiscal_requests
from veloflux.billing.invoices.deferrals import take_back
from veloflux.billing.invoices.issue import parts_of
from veloflux.billing.invoices.numbers import next_number
from veloflux.billing.model import CreditNote, Invoice
from veloflux.billing.payments.pay import Provider, Reference
from veloflux.billing.payments.refund import put_refund
from veloflux.billing.payments.settle import put
from veloflux.billing.states import INVOICE, move
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import IdReused
from veloflux.events import CreditNoteIssued
from veloflux.kit import ids
from veloflux.transaction import Transaction, decide

Cents = Annotated[int, Meta(gt=-(10**15), lt=10**15, description="Minor units, after the discount, before taxes")]


class LineCredit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of a line is credited; the first `line` is 0."""

    line: Annotated[int, Meta(ge=0, le=10_000)]
    amount: Cents


class CreditWanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """None of the `lines`: all that is left of the invoice. What was paid of it goes to the wallet, or, with
    `refunded_by`, back to the tenant by that provider."""

    lines: Annotated[tuple[LineCredit, ...], Meta(max_length=500)] = ()
    reason: Annotated[str, Meta(max_length=500)] = ""
    refunded_by: Provider | None = None
    reference: Reference = ""
    id: Annotated[str, Meta(max_length=100, description="The same id again is the same credit note")] = ""


async def credit_invoice(ctx: Context, id_: str, wanted: CreditWanted) -> CreditNote:
    """Take back something of an invoice.

    :raises NotFound: there is no such invoice. :raises MoveImpossible: it is not final, or void.
    :raises AlreadyDone: nothing is left to credit. :raises InputInvalid: more is wanted than is left of a line.
    :raises IdReused: it was another credit note's.
    """
    note = _id_of(id_, wanted.id) if wanted.id else ids.new("crn")
    return await decide(lambda: _credit(ctx, id_, note, wanted))


async def left_to_credit(ctx: Context, invoice: Invoice, once: str = "") -> list[int]:
    """What of each line of an invoice can still be credited: minor units, after the discount; negative of a line that
    is a credit itself, nothing of a draft. A credit note of the caller's own id `once` does not count: who asks for it
    again hears the same."""
    if invoice.totals is None:
        return [0 for _ in invoice.lines]
    others = tuple(id_ for id_ in invoice.credit_notes if id_ != _id_of(invoice.id, once))
    earlier = await _earlier(ctx, replace(invoice, credit_notes=others))
    return credit_notes.creditable(Document(invoice.lines, invoice.totals), earlier)


def _id_of(invoice: str, once: str) -> str:
    return ids.derived("crn", invoice, "wanted", once)


async def _credit(ctx: Context, id_: str, note_id: str, wanted: CreditWanted) -> CreditNote:
    invoice = await store.invoice(ctx, id_)
    if found := await store.find_credit_note(ctx.db, ctx.tenant, note_id):
        return _same(found, wanted)
    move(INVOICE, invoice.status, "credit")
    assert invoice.totals
    earlier = await _earlier(ctx, invoice)
    whole = Document(invoice.lines, invoice.totals)
    credited = credit_notes.credit(whole, earlier, {one.line: one.amount for one in wanted.lines} or None)
    tx = Transaction(ctx, ctx.tenant)
    note = replace(await _note(ctx, tx, invoice, credited, note_id), reason=wanted.reason)
    tx.create(keys.credit_note(ctx.tenant, note.id), note)
    tx.rank(keys.credit_notes(ctx.tenant), note.id, note.created_at)
    tx.event(CreditNoteIssued(credit_note=note.id, invoice=id_))
    left = credit_notes.creditable(whole, earlier)
    amounts = {place: line.amount for place, line in zip(credited.of, credited.lines, strict=True)}
    deferred = await take_back(ctx, tx, invoice, amounts, left)
    _book(ctx, tx, invoice, note, deferred)
    after = await put(ctx, tx, invoice, _after(invoice, note), lambda sub: uncharged(sub, invoice, amounts))
    if not after.unproven:
        tx.unrank(keys.unproven(ctx.tenant), id_)
    if sum(amounts.values()) == sum(left):
        await fiscal_requests.withdraw(ctx, tx, id_, fiscal_requests.CREDITED)
    if wanted.refunded_by and note.to_wallet:
        move(INVOICE, after.status, "refund")
        put_refund(ctx, tx, note, wanted.refunded_by, wanted.reference)
    await tx.commit()
    return note


def _same(found: CreditNote, wanted: CreditWanted) -> CreditNote:
    amounts = {place: line.amount for place, line in zip(found.of, found.lines, strict=True)}
    asked = {one.line: one.amount for one in wanted.lines} or amounts
    if (asked, wanted.reason) != (amounts, found.reason):
        raise IdReused("This id is another credit note's; choose a new one", field="id")
    return found


async def _earlier(ctx: Context, invoice: Invoice) -> list[Credited]:
    notes = await asyncio.gather(*(store.credit_note(ctx, id_) for id_ in invoice.credit_notes))
    return [Credited(note.lines, note.totals, of=note.of) for note in notes]


async def _note(ctx: Context, tx: Transaction, invoice: Invoice, credited: Credited, id_: str) -> CreditNote:
    totals = credited.totals
    withheld = min(totals.total - totals.net, invoice.unproven)
    settles = min(totals.total - withheld, invoice.left)
    to_wallet = totals.total - withheld - settles
    return CreditNote(
        id=id_,
        number=await next_number(ctx, tx, "credit_note"),
        invoice=invoice.id,
        currency=invoice.currency,
        lines=credited.lines,
        of=credited.of,
        totals=totals,
        settles=settles,
        withheld=withheld,
        to_wallet=to_wallet,
        created_at=ctx.now(),
    )


def _book(ctx: Context, tx: Transaction, invoice: Invoice, note: CreditNote, deferred: int) -> None:
    if not note.number:
        agenda.put(ctx, tx, Item("number", note.id, note.created_at))
    if note.settles and invoice.status == "uncollectible":
        ledger.post(tx, ledger.recovered(note.id, note.created_at, note.currency, note.settles))
    parts = parts_of(note.totals, deferred)
    posted = ledger.credit_note_issued(
        note.id, note.created_at, note.currency, parts, receivable=note.settles, withheld=note.withheld
    )
    ledger.post(tx, posted)


def _after(invoice: Invoice, note: CreditNote) -> Invoice:
    return replace(
        invoice,
        credited=invoice.credited + note.settles,
        withheld_credited=invoice.withheld_credited + note.withheld,
        credit_notes=(*invoice.credit_notes, note.id),
    )
