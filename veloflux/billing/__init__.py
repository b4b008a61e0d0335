"""Plans and usage become invoices: subscriptions, proration, invoices, credit notes, a ledger, a test clock.

The arithmetic is pure and lies in files named for what it computes; what happens is an event. Amounts are whole minor
units; a precise amount is rounded once, half up, where it becomes a line.

The ledger: every document posts balanced entries (`ledger.py`) in its own commit (`journal.py`). A posting is never
changed, balances are the sums of postings, and `ledger_check.py` proves both.
"""

from veloflux.billing.advance import advance, advance_billing, follow_clock
from veloflux.billing.journal import every_posting, post, read_balances
from veloflux.billing.ledger_check import check_ledgers, last_check
from veloflux.billing.store import invoice, invoices, subscription, subscriptions
from veloflux.billing.trial_balance import TrialBalance, read_trial_balances

__all__ = [
    "TrialBalance",
    "advance",
    "advance_billing",
    "check_ledgers",
    "every_posting",
    "follow_clock",
    "invoice",
    "invoices",
    "last_check",
    "post",
    "read_balances",
    "read_trial_balances",
    "subscription",
    "subscriptions",
]
