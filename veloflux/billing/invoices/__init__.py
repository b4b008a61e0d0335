"""Invoices and credit notes: drafted, finalised, numbered, shown, sent, corrected."""
