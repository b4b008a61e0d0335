"""Plans and usage become invoices: subscriptions, proration, invoices, credit notes, a ledger, a test clock.

The arithmetic is pure and lies in files named for what it computes; what happens is an event. Amounts are whole minor
units; a precise amount is rounded once, half up, where it becomes a line.

The ledger: every document posts balanced entries (`ledger.py`) in its own commit (`journal.py`). A posting is never
changed, balances are the sums of postings, and `ledger_check.py` proves both.
"""

from veloflux.billing.advance import advance, advance_billing, follow_clock
from veloflux.billing.cost import Cost, read_costs
from veloflux.billing.journal import every_posting, post, read_balances
from veloflux.billing.ledger_check import check_ledgers, last_check
from veloflux.billing.spend_handlers import forget_watched, mail_spend, note_watched, send_spend
from veloflux.billing.trial_balance import TrialBalance, read_trial_balances
from veloflux.billing.watch_spend import follow_spend, watch_spend

__all__ = [
    "Cost",
    "TrialBalance",
    "advance",
    "advance_billing",
    "check_ledgers",
    "every_posting",
    "follow_clock",
    "follow_spend",
    "forget_watched",
    "last_check",
    "mail_spend",
    "note_watched",
    "post",
    "read_balances",
    "read_costs",
    "read_trial_balances",
    "send_spend",
    "watch_spend",
]
