"""A draft becomes a final invoice: coupons, taxes, withholding, the wallet, its number, its postings, in one commit."""

from typing import NamedTuple

from msgspec.structs import replace

from veloflux import ledger
from veloflux.billing import agenda, store
from veloflux.billing.agenda import Item
from veloflux.billing.arithmetic.discounts import after
from veloflux.billing.arithmetic.taxes import holding
from veloflux.billing.arithmetic.totals import Document, Totals, compose
from veloflux.billing.basis import Basis
from veloflux.billing.fiscal import requests as fiscal_requests
from veloflux.billing.invoices import buyer
from veloflux.billing.invoices.deferrals import put_deferrals, services
from veloflux.billing.invoices.numbers import next_number
from veloflux.billing.model import CreditNote, Invoice, Subscription
from veloflux.billing.payments.provider import payment_provider
from veloflux.context import Context
from veloflux.db import keys
from veloflux.events import CreditNoteIssued, InvoiceFinalised, InvoicePaid
from veloflux.kit import ids
from veloflux.kit.clock import DAY_MS
from veloflux.plans.prices import Tax
from veloflux.transaction import Transaction


class Issued(NamedTuple):
    """An invoice as it is written, and its subscription as it is then."""

    invoice: Invoice
    subscription: Subscription | None


def composed(basis: Basis, invoice: Invoice, sub: Subscription | None) -> tuple[Document, Document | None]:
    """What lines of an invoice come to for a tenant, and the credit note of what they lack to zero. A coupon that is
    not given any more, in this currency, takes nothing off."""
    currency = invoice.currency
    known = {one.id: one for one in basis.catalogue.coupons if one.percent is not None or currency in one.amounts}
    attached = [known[one.coupon] for one in sub.coupons if one.coupon in known] if sub else []
    return compose(
        invoice.lines,
        currency,
        coupons=attached,
        taxes=taxes_of(basis),
        withholdings=basis.profile.withholdings,
        services={plan.id: plan.service for plan in basis.catalogue.plans},
    )


def taxes_of(basis: Basis) -> tuple[Tax, ...]:
    """The taxes that hold for a tenant."""
    return holding(basis.catalogue.taxes, basis.record.country, basis.record.state, basis.profile.taxes)


async def issue(ctx: Context, tx: Transaction, basis: Basis, draft: Invoice, sub: Subscription | None) -> Issued:
    """Part of the commit that writes the invoice and the subscription, which the caller puts there.

    An invoice that asks for nothing is paid at once; one that lacks something to zero sends that to the wallet.
    """
    document, lack = composed(basis, draft, sub)
    credit = await _from_wallet(ctx, tx, draft.currency, document.totals.net)
    number = await next_number(ctx, tx, "invoice")
    at, asked = ctx.now(), document.totals.net - credit
    status = "paid" if not asked else "open"
    due_at = at + basis.profile.days_to_pay * DAY_MS
    invoice = replace(
        draft,
        status=status if number else "awaiting_number",
        number=number,
        lines=document.lines,
        totals=document.totals,
        credit=credit,
        issued_at=at,
        due_at=due_at,
        settled_at=None if asked else at,
        buyer=await buyer.sealed(ctx, basis),
        language=basis.tenant.language,
        zone=basis.tenant.zone,
    )
    _book(ctx, tx, basis, invoice, credit)
    tx.event(InvoiceFinalised(invoice=invoice.id, status=invoice.status, net=asked, currency=invoice.currency))
    fiscal_requests.ask(ctx, tx, basis.record.country, invoice)
    if not number:
        agenda.put(ctx, tx, Item("number", invoice.id, at))
    elif asked and payment_provider(ctx, basis.tenant):
        agenda.put(ctx, tx, Item("collect", invoice.id, due_at))
    elif not asked:
        tx.event(InvoicePaid(invoice=invoice.id))
    if lack:
        await _send_to_wallet(ctx, tx, basis, invoice, lack)
    return Issued(invoice, sub and settled_with(sub, invoice))


def settled_with(sub: Subscription, invoice: Invoice) -> Subscription:
    """A subscription after its invoice: coupons have so many invoices less, and what was charged is what was asked for
    after their discounts."""
    assert invoice.totals
    taken = {one.coupon: one.amount for one in invoice.totals.coupons}
    left = (after(one, taken) for one in sub.coupons)
    paid = {(line.name, line.start): line.net for line in invoice.lines if line.discount and line.amount > 0}
    charged = tuple(
        replace(one, amount=min(one.amount, paid.get((one.label, one.start), one.amount))) for one in sub.charged
    )
    return replace(sub, coupons=tuple(one for one in left if one), charged=charged)


async def _from_wallet(ctx: Context, tx: Transaction, currency: str, net_: int) -> int:
    """What the wallet pays of an invoice; the commit expects that nobody took from it meanwhile."""
    held = await store.credit_balance(ctx.db, ctx.tenant, currency)
    credit = min(max(-int(held or 0), 0), net_)
    if credit:
        tx.expect(keys.balances(ctx.tenant), store.credit_field(currency), held)
    return credit


def _book(ctx: Context, tx: Transaction, basis: Basis, invoice: Invoice, credit: int) -> None:
    assert invoice.issued_at is not None
    totals, to_come = invoice.totals, services(invoice, taxes_of(basis))
    assert totals
    parts = parts_of(totals, sum(service.amount for service in to_come))
    withheld = totals.total - totals.net
    posted = ledger.invoice_issued(
        invoice.id, invoice.issued_at, invoice.currency, parts, withheld=withheld, credit=credit
    )
    if posted.entries:
        ledger.post(tx, posted)
    put_deferrals(ctx, tx, invoice, to_come)
    if withheld:
        tx.rank(keys.unproven(ctx.tenant), invoice.id, invoice.issued_at)


async def _send_to_wallet(ctx: Context, tx: Transaction, basis: Basis, invoice: Invoice, lack: Document) -> None:
    note = CreditNote(
        id=ids.derived("crn", invoice.id, "lack"),
        number=await next_number(ctx, tx, "credit_note"),
        invoice=invoice.id,
        currency=invoice.currency,
        lines=lack.lines,
        totals=lack.totals,
        to_wallet=lack.totals.total,
        created_at=ctx.now(),
    )
    tx.create(keys.credit_note(ctx.tenant, note.id), note)
    tx.rank(keys.credit_notes(ctx.tenant), note.id, note.created_at)
    parts = parts_of(lack.totals, 0)
    ledger.post(tx, ledger.credit_note_issued(note.id, note.created_at, note.currency, parts))
    tx.event(CreditNoteIssued(credit_note=note.id, invoice=invoice.id))
    if not note.number:
        agenda.put(ctx, tx, Item("number", note.id, note.created_at))


def parts_of(totals: Totals, deferred: int) -> ledger.Parts:
    """What an amount consists of. Taxes lie within the total, on top of the lines or not."""
    taxes = {tax.id: tax.amount for tax in totals.taxes}
    return ledger.Parts(revenue=totals.total - sum(taxes.values()) - deferred, deferred=deferred, taxes=taxes)
