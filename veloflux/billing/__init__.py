"""Plans and usage become invoices: subscriptions, proration, invoices, credit notes, a test clock.

- `arithmetic/` is pure: periods, proration, prices, discounts, taxes, totals, a file each.
- `subscriptions/`, `invoices/`, `payments/` and `wallet/` are what happens; `states.py` has every move that there is.
- `spend/` is what is known before the invoice; `printing/` makes documents of it.
- `fiscal/` asks for the fiscal document (NFS-e) of each invoice in Brazil, behind the port `veloflux/kit/fiscal.py`.
- `agenda.py` holds what is due by time, `advance.py` does it, and `clock.py` moves a sandbox tenant's time.

What happens is an event. Amounts are whole minor units; a precise amount is rounded once, half up, where it becomes a
line. Every document posts to the ledger in its own commit.
"""

from veloflux.billing.advance import advance, advance_billing, follow_clock
from veloflux.billing.check_books import check_ledgers
from veloflux.billing.fiscal.fake import FiscalFake
from veloflux.billing.invoices.mail import mail_invoice, send_invoice
from veloflux.billing.invoices.reading import open_link
from veloflux.billing.payments.dunning_mails import send_dunning
from veloflux.billing.spend.cost import Cost, read_costs
from veloflux.billing.spend.handlers import forget_watched, mail_spend, note_watched, send_spend
from veloflux.billing.spend.watch import follow_spend, watch_spend
from veloflux.billing.store import invoice as read_invoice
from veloflux.billing.store import invoices as read_invoices
from veloflux.billing.store import subscription as read_subscription
from veloflux.billing.store import subscriptions as read_subscriptions
from veloflux.billing.subscriptions.leaving import end_subscriptions

__all__ = [
    "Cost",
    "FiscalFake",
    "advance",
    "advance_billing",
    "check_ledgers",
    "end_subscriptions",
    "follow_clock",
    "follow_spend",
    "forget_watched",
    "mail_invoice",
    "mail_spend",
    "note_watched",
    "open_link",
    "read_costs",
    "read_invoice",
    "read_invoices",
    "read_subscription",
    "read_subscriptions",
    "send_dunning",
    "send_invoice",
    "send_spend",
    "watch_spend",
]
