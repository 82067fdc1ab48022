"""Tables as known on one morning, and what became of their rows."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cached_property

import pandas as pd
import pyarrow as pa

from features.catalogue import Catalogue
from features.history import History, load_history
from features.intake import Tables
from features.what_if import usual_goodwill_cents
from models.potential import PEER_COLUMNS


class Checked:
    """What became of every row of the tables, as pandas frames."""

    def __init__(self, tables: Tables):
        self._tables = tables

    @property
    def balances(self) -> pd.DataFrame:
        """One row per table, counts of rows: read = accepted + quarantined + later."""
        return pd.DataFrame([vars(each) for each in self._tables.balances]).set_index("table")

    @property
    def notes(self) -> tuple[str, ...]:
        """What is missing and what that costs, the costliest first."""
        return self._tables.notes

    def table(self, name: str) -> pd.DataFrame:
        """Return the accepted rows of a table, typed as in the contract; ids are text."""
        rows: pd.DataFrame = self._tables.arrow(name, (*self._tables.columns(name), "known_at")).to_pandas()
        return rows

    def quarantine(self, name: str) -> pd.DataFrame:
        """Return the refused rows of a table: file, row, rule, column, message, then the row as it came."""
        rows: pd.DataFrame = self._tables.quarantine(name).to_pandas()
        return rows


class AsOf:
    """What is known of the tables on one morning."""

    def __init__(self, tables: Tables, cutoff: date, features: Catalogue):
        self.tables, self._features, self._cutoff = tables, features, cutoff
        self.first = tables.first_known
        self.until = min(cutoff, tables.last_known + timedelta(days=1))

    @cached_property
    def history(self) -> History:
        """The ledgers the features are read from."""
        return load_history(self.tables, self._features)

    @cached_property
    def about(self) -> pd.DataFrame | None:
        """Master data by which customers are compared; None without a customers table."""
        if "customers" not in self.tables.names:
            return None
        wanted = [name for name in PEER_COLUMNS if name in self.tables.columns("customers")]
        found: pd.DataFrame = self.tables.arrow("customers", ("customer_id", *wanted)).to_pandas()
        return found

    @cached_property
    def goodwill_cents(self) -> int:
        """What the company usually grants."""
        return usual_goodwill_cents(self.tables, self._cutoff)

    def as_they_came(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return ``frame`` with ``customer_id`` in the type it had in the orders: whole numbers, else text."""
        is_number = pa.types.is_integer(self.tables.id_type)
        return frame.astype({"customer_id": "int64"}) if is_number else frame
