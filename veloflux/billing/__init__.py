"""Plans and usage become invoices: subscriptions, proration, invoices, credit notes, a test clock.

The arithmetic is pure and lies in files named for what it computes; what happens is an event. Amounts are whole minor
units; a precise amount is rounded once, half up, where it becomes a line. Every document posts to the ledger in its own
commit.

An invoice in Brazil has one fiscal document (NFS-e): `fiscal_follow.py` asks the provider behind the port
(`veloflux/kit/fiscal.py`) until it is issued or cancelled, or somebody is to look.
"""

from veloflux.billing.advance import advance, advance_billing, follow_clock
from veloflux.billing.dunning_mails import send_dunning
from veloflux.billing.fiscal_fake import FiscalFake
from veloflux.billing.invoice_mail import mail_invoice, send_invoice
from veloflux.billing.invoices import open_link

__all__ = [
    "FiscalFake",
    "advance",
    "advance_billing",
    "follow_clock",
    "mail_invoice",
    "open_link",
    "send_dunning",
    "send_invoice",
]
