"""What a tenant's documents say that accounts of its ledger hold: what the check compares the balances with."""

from collections import Counter

from veloflux.billing import store
from veloflux.billing.invoices.deferrals import deferrals_of
from veloflux.billing.model import Invoice, Payment
from veloflux.db.client import Db
from veloflux.ledger.check import Says

ACCOUNTS = ("receivable", "bad_debt", "withheld_tax", "withheld_tax_proven", "credit", "deferred_revenue")
Sums = Counter[tuple[str, str]]


async def documents_say(db: Db, tenant: str) -> Says:
    """By account and currency, in minor units: a debit positive, a credit negative."""
    sums: Sums = Counter()
    async for invoice in store.every_invoice(db, tenant):
        _add_invoice(sums, invoice)
    async for payment in store.every_payment(db, tenant):
        _add_payment(sums, payment)
    async for note in store.every_credit_note(db, tenant):
        sums["credit", note.currency] -= note.to_wallet
    for one in await deferrals_of(db, tenant):
        sums["deferred_revenue", one.currency] -= one.service.amount - one.released
    said: dict[str, dict[str, int]] = {account: {} for account in ACCOUNTS}
    for (account, currency), amount in sums.items():
        said.setdefault(account, {})[currency] = amount
    return said


def _add_invoice(sums: Sums, invoice: Invoice) -> None:
    currency = invoice.currency
    if invoice.status in ("draft", "void"):
        return
    if invoice.status != "paid":
        account = "bad_debt" if invoice.status == "uncollectible" else "receivable"
        sums[account, currency] += invoice.left
    sums["withheld_tax", currency] += invoice.unproven
    sums["withheld_tax_proven", currency] += sum(proof.amount for proof in invoice.proofs)
    sums["credit", currency] += invoice.credit


def _add_payment(sums: Sums, payment: Payment) -> None:
    sums["credit", payment.currency] -= payment.to_wallet
    if payment.provider:
        cash = payment.received - payment.fee - payment.paid_out
        sums[f"cash:{payment.provider}", payment.received_currency or payment.currency] += cash
