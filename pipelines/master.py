"""The master data of customers, as far as known before a cutoff."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd

from features.intake import take_in
from pipelines.settings import Settings


def master_data(settings: Settings, cutoff: date) -> pd.DataFrame:
    """Return the master data known before ``cutoff``; no rows without a customers table."""
    if "customers" not in settings.sources:
        return pd.DataFrame({"customer_id": pd.Series(dtype="str")})
    sources = {"customers": settings.sources["customers"]}
    with take_in(sources, cutoff=cutoff, timezone=settings.timezone, root=Path.cwd(), compulsory=()) as tables:
        known = tables.arrow("customers", tables.columns("customers"), order_by=["customer_id"])
        return pd.DataFrame(known.to_pandas())
