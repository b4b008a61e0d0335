"""Plans and usage become invoices: subscriptions, proration, invoices, credit notes, a ledger, a test clock.

The arithmetic is pure and lies in files named for what it computes; what happens is an event. Amounts are whole minor
units; a precise amount is rounded once, half up, where it becomes a line.
"""
