"""Plans and usage become invoices: subscriptions, proration, invoices, credit notes, a ledger, a test clock.

The arithmetic is pure and lies in files named for what it computes; what happens is an event. Amounts are whole minor
units; a precise amount is rounded once, half up, where it becomes a line.

The ledger: every document posts balanced entries (`ledger.py`) in its own commit (`journal.py`). A posting is never
changed, balances are the sums of postings, and `ledger_check.py` proves both.

An invoice in Brazil has one fiscal document (NFS-e): `fiscal_follow.py` asks the provider behind the port
(`veloflux/fiscal_port.py`) until it is issued or cancelled, or somebody is to look.
"""

from veloflux.billing.advance import advance, advance_billing, follow_clock
from veloflux.billing.fiscal_fake import FiscalFake
from veloflux.billing.journal import every_posting, post, read_balances
from veloflux.billing.ledger_check import check_ledgers, last_check
from veloflux.billing.trial_balance import TrialBalance, read_trial_balances

__all__ = [
    "FiscalFake",
    "TrialBalance",
    "advance",
    "advance_billing",
    "check_ledgers",
    "every_posting",
    "follow_clock",
    "last_check",
    "post",
    "read_balances",
    "read_trial_balances",
]
