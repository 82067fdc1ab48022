"""Delivery to foreign targets (files, SQL) and the ledger of what was sent."""
