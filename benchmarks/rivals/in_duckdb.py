"""DuckDB: what all cutoffs share is aggregated once, then each cutoff is a conditional sum over little.

Shared: orders by customer and stretch of days between two window edges; days of purchase with the gap before them, by
the cutoff from which on they are seen. Rows recorded late stay apart and join a cutoff once they are known; customers
with an order that is booked but not yet known at a cutoff get their gaps anew. Tried and slower: one pass with FILTER
per cutoff, rings of ages, lists of days, the perfect hash table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from benchmarks.rivals.columns import edges

_SCRIPT = Path(__file__).with_suffix(".sql")


def features(folder: Path, cutoffs: Sequence[date]) -> Iterator[pa.Table]:
    """Yield the shared columns, one table per cutoff."""
    with duckdb.connect() as database:
        database.execute("SET threads = 2; SET enable_progress_bar = false; SET preserve_insertion_order = false")
        for name in ("orders", "complaints", "contacts"):
            database.from_parquet(str(folder / f"{name}.parquet")).create_view(name)
        database.execute("CREATE TEMP TABLE edges AS SELECT unnest($1::DATE[]) AS edge", [edges(cutoffs)])
        database.execute("CREATE TEMP TABLE cutoffs AS SELECT unnest($1::DATE[]) AS cutoff", [list(cutoffs)])
        database.execute("SET VARIABLE cutoff = $1::DATE", [cutoffs[0]])  # gives the views their types
        database.execute(_SCRIPT.read_text(encoding="utf-8"))
        for cutoff in cutoffs:
            database.execute("SET VARIABLE cutoff = $1::DATE", [cutoff])
            yield database.table("features").to_arrow_table()
