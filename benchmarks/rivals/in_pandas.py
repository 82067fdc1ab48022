"""pandas: sorted once by customer and day, then one group-by per window and cutoff, as one writes it by hand.

Customers are numbers while it computes; the windows shrink from the longest to the shortest, so that each is cut from
the one before. Tried and slower: customers as a categorical. pandas computes on one thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.rivals.columns import COLUMNS, ORDERS, QUARTER, REACH, RELATIONS, WINDOWS, YEAR


def features(folder: Path, cutoffs: Sequence[date]) -> Iterator[pa.Table]:
    """Yield the shared columns, one table per cutoff."""
    bookings, ids = _bookings(folder)
    complaints = _table(folder, "complaints", ids)
    contacts = _table(folder, "contacts", ids, "direction")
    contacts["is_inbound"] = (contacts["direction"] == "in").astype(np.int64)
    contacts["is_outbound"] = (contacts.pop("direction") == "out").astype(np.int64)
    for cutoff in cutoffs:
        day = int(np.datetime64(cutoff, "D").astype(np.int64))
        seen = _seen(bookings, day)
        parts = (_rhythm(seen, day), _sums(seen, day), _complaints(complaints, day), _contacts(contacts, day))
        found = parts[0].join(parts[1:])
        yield _table_of(found[found["recency_days"] <= REACH], ids)


def _bookings(folder: Path) -> tuple[pd.DataFrame, pd.Index]:
    """Return orders and returns in cents, sorted by customer and day, and the ids the customers' numbers stand for."""
    frame = _rows(folder, "orders", "amount", "margin")
    number, ids = pd.factorize(frame.pop("customer_id"))
    order = np.argsort(number * 100_000 + frame["day"].to_numpy())
    cents = np.rint(frame["amount"].to_numpy() * 100).astype(np.int64)[order]
    columns = {
        "customer": number[order],
        "day": frame["day"].to_numpy()[order],
        "known": frame["known"].to_numpy()[order],
        "cents": cents,
        "margin": np.rint(frame["margin"].fillna(0).to_numpy() * 100).astype(np.int64)[order],
        "is_order": (cents > 0).astype(np.int64),
        "is_return": (cents < 0).astype(np.int64),
        "sold": np.maximum(cents, 0),
    }
    return pd.DataFrame(columns, copy=False), pd.Index(ids)


def _table(folder: Path, name: str, ids: pd.Index, *columns: str) -> pd.DataFrame:
    """Return a table with numbers for the customers in ``ids``; the others are left out."""
    frame = _rows(folder, name, *columns)
    customers = frame.pop("customer_id").cat
    frame["customer"] = ids.get_indexer(customers.categories)[customers.codes]
    return frame[frame["customer"] >= 0]


def _rows(folder: Path, name: str, *columns: str) -> pd.DataFrame:
    """Return a table with its days as numbers and the customers' ids as a categorical."""
    wanted = ["customer_id", "occurred_on", "known_at", *columns]
    read = pq.read_table(folder / f"{name}.parquet", columns=wanted, read_dictionary=["customer_id"])
    frame = read.select(["customer_id", *columns]).to_pandas()
    for new, old in (("day", "occurred_on"), ("known", "known_at")):
        frame[new] = read[old].cast(pa.int32()).to_numpy()
    return frame


def _seen(rows: pd.DataFrame, cutoff: int) -> pd.DataFrame:
    return rows[(rows["day"] < cutoff) & (rows["known"] < cutoff)]


def _grouped(rows: pd.DataFrame, columns: list[str]) -> pd.core.groupby.DataFrameGroupBy:
    return rows.groupby("customer", sort=False)[columns]


def _sums(seen: pd.DataFrame, cutoff: int) -> pd.DataFrame:
    """Return orders, turnover, returns and margins of every window."""
    found: dict[str, pd.Series] = {}
    window = seen
    for days in sorted(WINDOWS, reverse=True):
        if days == YEAR:
            before = window[(window["day"] >= cutoff - YEAR - QUARTER) & (window["day"] < cutoff - YEAR)]
            found["turnover_cents_91d_year_before"] = _grouped(before, ["cents"]).sum()["cents"]
        window = window[window["day"] >= cutoff - days]
        extra = ["is_return", "sold", "margin"] if days == YEAR else []
        sums = _grouped(window, ["is_order", "cents", *extra]).sum()
        found |= {f"orders_{days}d": sums["is_order"], f"turnover_cents_{days}d": sums["cents"]}
        if days == YEAR:
            found |= {"returns_364d": sums["is_return"], "sold_cents_364d": sums["sold"]}
            found |= {"margin_cents_364d": sums["margin"], "lines_364d": sums["is_order"]}
            found["returned_cents_364d"] = sums["sold"] - sums["cents"]
    table = pd.DataFrame(found).fillna(0)
    for name in ("orders", "turnover_cents"):
        table[f"{name}_91d_before"] = table[f"{name}_182d"] - table[f"{name}_91d"]
    return table


def _rhythm(seen: pd.DataFrame, cutoff: int) -> pd.DataFrame:
    """Return age and gaps of the days of purchase."""
    bought = seen.loc[seen["is_order"] > 0, ["customer", "day"]]
    customer, day = bought["customer"].to_numpy(), bought["day"].to_numpy()
    same_customer = np.r_[False, customer[1:] == customer[:-1]][: len(customer)]
    gap = np.r_[0, np.diff(day)][: len(day)].astype(np.int64)
    ends = _grouped(bought, ["day"])
    first, last = ends.min()["day"], ends.max()["day"]
    between = same_customer & (gap > 0)
    gaps = bought.loc[between, ["customer"]].assign(gap=gap[between], square=gap[between] ** 2)
    grouped = _grouped(gaps, ["gap", "square"])
    sums, most, last_gap = grouped.sum(), grouped.max(), grouped.last()
    count = grouped.count()["gap"].reindex(first.index, fill_value=0).astype(np.float64)
    some = count.where(count > 0)
    spread = np.sqrt(count * sums["square"] - sums["gap"] ** 2) / some
    found = {
        "recency_days": cutoff - last,
        "tenure_days": cutoff - first,
        "purchase_days": count + 1,
        "gap_mean_days": sums["gap"] / some,
        "gap_sd_days": spread.where(count >= 2),
        "gap_longest_days": most["gap"],
        "gap_last_days": last_gap["gap"],
    }
    return pd.DataFrame(found)


def _complaints(complaints: pd.DataFrame, cutoff: int) -> pd.DataFrame:
    seen = _seen(complaints, cutoff)
    counts = {f"complaints_{days}d": _count(seen, cutoff, days) for days in (QUARTER, YEAR)}
    return pd.DataFrame({**counts, "complaint_recency_days": cutoff - _grouped(seen, ["day"]).max()["day"]})


def _contacts(contacts: pd.DataFrame, cutoff: int) -> pd.DataFrame:
    seen = _seen(contacts, cutoff)
    counts = {f"contacts_{days}d": _count(seen, cutoff, days) for days in (28, QUARTER, YEAR)}
    ways = _grouped(seen[seen["day"] >= cutoff - QUARTER], ["is_inbound", "is_outbound"]).sum()
    counts |= {"inbound_91d": ways["is_inbound"], "outbound_91d": ways["is_outbound"]}
    return pd.DataFrame({**counts, "contact_recency_days": cutoff - _grouped(seen, ["day"]).max()["day"]})


def _count(seen: pd.DataFrame, cutoff: int, days: int) -> pd.Series:
    window = seen[seen["day"] >= cutoff - days]
    return _grouped(window, ["day"]).count()["day"]


def _table_of(found: pd.DataFrame, ids: pd.Index) -> pa.Table:
    """Return the columns in order; what has no row to sum or count is 0, what has no day is missing."""
    frame = found[list(COLUMNS)].astype(np.float64)
    counted = [name for name in (*ORDERS, *RELATIONS) if not name.endswith("recency_days")]
    frame[counted] = frame[counted].fillna(0)
    frame.insert(0, "customer_id", ids[found.index].astype("str"))
    return pa.Table.from_pandas(frame, preserve_index=False)
