"""Money goes back to a tenant: what is in its wallet, or what a credit note put there."""

from veloflux import ledger
from veloflux.billing.model import CreditNote, Payment
from veloflux.billing.payments.pay import put_document
from veloflux.context import Context
from veloflux.events import PaymentRefunded
from veloflux.kit import ids
from veloflux.transaction import Transaction


def put_refund(ctx: Context, tx: Transaction, note: CreditNote, provider: str, reference: str) -> Payment:
    """Part of the commit that issues a credit note: what it puts into the wallet goes back by a provider."""
    refund = ids.derived("pay", note.id, "refund")
    return put_out(
        ctx,
        tx,
        Payment(
            id=refund,
            kind="refund",
            invoice=note.invoice,
            credit_note=note.id,
            currency=note.currency,
            amount=note.to_wallet,
            to_wallet=-note.to_wallet,
            provider=provider,
            paid_out=note.to_wallet,
            reference=reference,
            created_at=ctx.now(),
        ),
    )


def put_out(ctx: Context, tx: Transaction, refund: Payment) -> Payment:
    """Part of a commit: a refund out of the wallet, which must have as much."""
    put_document(tx, refund)
    at, amount = refund.created_at, refund.amount
    ledger.post(tx, ledger.refunded(refund.id, at, refund.currency, amount, refund.provider, credit=amount))
    tx.event(PaymentRefunded(payment=refund.id, amount=amount, currency=refund.currency))
    return refund
