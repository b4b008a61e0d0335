"""Invoices and credit notes as their reader sees them: words, page and PDF."""
