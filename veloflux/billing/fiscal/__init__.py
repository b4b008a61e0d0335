"""Fiscal documents (NFS-e) of invoices: asked for, followed, kept, cancelled."""
