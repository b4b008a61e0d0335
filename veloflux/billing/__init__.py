"""Plans and usage become invoices: subscriptions, proration, invoices, credit notes, a test clock.

The arithmetic is pure and lies in files named for what it computes; what happens is an event. Amounts are whole minor
units; a precise amount is rounded once, half up, where it becomes a line. Every document posts to the ledger in its own
commit.

An invoice in Brazil has one fiscal document (NFS-e): `fiscal_follow.py` asks the provider behind the port
(`veloflux/kit/fiscal.py`) until it is issued or cancelled, or somebody is to look.
"""

from veloflux.billing.advance import advance, advance_billing, follow_clock
from veloflux.billing.check_books import check_ledgers
from veloflux.billing.cost import Cost, read_costs
from veloflux.billing.dunning_mails import send_dunning
from veloflux.billing.fiscal_fake import FiscalFake
from veloflux.billing.invoice_mail import mail_invoice, send_invoice
from veloflux.billing.invoices import open_link
from veloflux.billing.leaving import end_subscriptions
from veloflux.billing.spend_handlers import forget_watched, mail_spend, note_watched, send_spend
from veloflux.billing.store import invoice as read_invoice
from veloflux.billing.store import invoices as read_invoices
from veloflux.billing.store import subscription as read_subscription
from veloflux.billing.store import subscriptions as read_subscriptions
from veloflux.billing.watch_spend import follow_spend, watch_spend

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
