"""Treue's own ledgers, read directly: the shared columns only, in one pass over parts of the customers.

Results of a cutoff come part by part and wait in an Arrow file until all parts are done.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.rivals.columns import COLUMNS, QUARTER, REACH, WINDOWS, YEAR
from features.accepted import accepted
from features.history import History
from features.ledger import Column, divide
from features.partitions import Partitions
from features.timeline import day_number


def features(folder: Path, cutoffs: Sequence[date]) -> Iterator[pa.Table]:
    """Yield the shared columns, one table per cutoff."""
    with accepted({path.stem: [path] for path in sorted(folder.glob("*.parquet"))}) as tables:
        parts = Partitions(tables)
    with parts, tempfile.TemporaryDirectory() as kept:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda number: _write(parts[number], cutoffs, Path(kept) / str(number)), range(len(parts))))
        for cutoff in cutoffs:
            found = [_read(Path(kept) / str(number) / f"{cutoff}.arrow") for number in range(len(parts))]
            yield pa.concat_tables(found)


def _write(part: History, cutoffs: Sequence[date], folder: Path) -> None:
    folder.mkdir()
    for cutoff in cutoffs:
        table = _table(part, cutoff)
        with pa.OSFile(str(folder / f"{cutoff}.arrow"), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)


def _read(path: Path) -> pa.Table:
    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


def _table(part: History, cutoff: date) -> pa.Table:
    seen, everyone = part.at(day_number(cutoff)), np.arange(len(part.customer_ids))
    columns = seen.columns(everyone, lambda known, asked: _columns(known, asked, seen.cutoff))
    chosen = columns[COLUMNS.index("recency_days")] <= REACH
    named = {name: column[chosen] for name, column in zip(COLUMNS, columns, strict=True)}
    return pa.table({"customer_id": pa.array(part.customer_ids[chosen], pa.string()), **named})


def _columns(known: History, customers: np.ndarray, cutoff: int) -> list[Column]:
    names = ("bookings", "purchases", "complaints", "contacts")
    bookings, purchases, complaints, contacts = (known.ledgers[name].at(customers, cutoff) for name in names)
    orders = {days: bookings.total("is_order", days) for days in WINDOWS}
    cents = {days: bookings.total("amount", days) for days in WINDOWS}
    gaps, gap = purchases.total("has_gap"), purchases.total("gap")
    mean = divide(gap, gaps)
    spread = np.sqrt(np.maximum(divide(purchases.total("gap_squared"), gaps) - mean**2, 0))
    return [
        *orders.values(),
        *cents.values(),
        *(bookings.total(name, YEAR) for name in ("is_return", "returned", "sold", "margin")),
        orders[YEAR],
        bookings.total("is_order", QUARTER, ago=QUARTER),
        bookings.total("amount", QUARTER, ago=QUARTER),
        bookings.total("amount", QUARTER, ago=YEAR),
        *(purchases.recency_days, purchases.tenure_days, purchases.count()),
        *(mean, np.where(gaps >= 2, spread, np.nan)),
        *(np.where(gaps >= 1, purchases.last(name), np.nan) for name in ("longest_gap", "gap")),
        *(complaints.count(QUARTER), complaints.count(YEAR), complaints.recency_days),
        *(contacts.count(days) for days in (28, QUARTER, YEAR)),
        *(contacts.total(name, QUARTER) for name in ("is_inbound", "is_outbound")),
        contacts.recency_days,
    ]
