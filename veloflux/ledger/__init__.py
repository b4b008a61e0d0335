"""The double-entry ledger of each tenant: what was billed and paid, in balanced postings.

Every document posts its entries (`entries.py`) in its own commit (`store.py`). A posting is never changed, balances are
the sums of postings, and `check.py` proves both.
"""

from veloflux.ledger.check import check_ledgers
from veloflux.ledger.entries import (
    Parts,
    Received,
    credit_applied,
    credit_note_issued,
    gifted,
    invoice_issued,
    invoice_paid,
    recovered,
    refunded,
    revenue_released,
    topped_up,
    voided,
    wallet_ended,
    withheld_proven,
    written_off,
)
from veloflux.ledger.posting import Entry, Posted, Posting
from veloflux.ledger.store import Account, every_posting, last_check, post, postings_of, read_balances
from veloflux.ledger.trial_balance import TrialBalance, read_trial_balances

__all__ = [
    "Account",
    "Entry",
    "Parts",
    "Posted",
    "Posting",
    "Received",
    "TrialBalance",
    "check_ledgers",
    "credit_applied",
    "credit_note_issued",
    "every_posting",
    "gifted",
    "invoice_issued",
    "invoice_paid",
    "last_check",
    "post",
    "postings_of",
    "read_balances",
    "read_trial_balances",
    "recovered",
    "refunded",
    "revenue_released",
    "topped_up",
    "voided",
    "wallet_ended",
    "withheld_proven",
    "written_off",
]
