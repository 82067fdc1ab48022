"""What every contender computes, and whether two of them say the same.

Only rows with ``occurred_on`` and ``known_at`` before the cutoff count; a window of ``w`` days is
``[cutoff - w, cutoff)``. One row per customer with a purchase (``amount > 0``) at most 728 days old. Whole numbers:
counts, cents and days; an order is one row, so its lines are its orders. Gaps lie between days of purchase; their
standard deviation is that of the population, missing below two gaps. Missing is null or NaN.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

WINDOWS = (28, 91, 182, 364, 728)
QUARTER, YEAR = 91, 364
REACH = 728
"""A customer whose last purchase is older has no row [days]."""

ORDERS = (
    *(f"orders_{days}d" for days in WINDOWS),
    *(f"turnover_cents_{days}d" for days in WINDOWS),
    *"returns_364d returned_cents_364d sold_cents_364d margin_cents_364d lines_364d".split(),
    *"orders_91d_before turnover_cents_91d_before turnover_cents_91d_year_before".split(),
)
RHYTHM = (
    *"recency_days tenure_days purchase_days".split(),
    *"gap_mean_days gap_sd_days gap_longest_days gap_last_days".split(),
)
RELATIONS = (
    *"complaints_91d complaints_364d complaint_recency_days".split(),
    *"contacts_28d contacts_91d contacts_364d inbound_91d outbound_91d contact_recency_days".split(),
)
COLUMNS = (*ORDERS, *RHYTHM, *RELATIONS)
"""The shared columns, in order, behind ``customer_id``."""

FLOATS = ("gap_mean_days", "gap_sd_days")
"""Columns that are compared to 1e-9; all others exactly."""


def edges(cutoffs: Iterable[date]) -> list[date]:
    """Return every day on which a window of one of the cutoffs begins or ends, ascending."""
    ages = (0, *WINDOWS, YEAR + QUARTER)
    return sorted({cutoff - timedelta(days=age) for cutoff in cutoffs for age in ages})


def checksum(table: pa.Table) -> dict[str, float]:
    """Return the number of rows and the sum of every column; missing counts 0."""
    sums = {name: float(np.nansum(_numbers(table, name))) for name in COLUMNS}
    return {"rows": float(len(table)), **sums}


def differences(one: pa.Table, other: pa.Table) -> list[str]:
    """Return what two contenders disagree on, one sentence per column; empty when they say the same."""
    one, other = one.sort_by("customer_id"), other.sort_by("customer_id")
    if not _ids(one).equals(_ids(other)):
        return [f"customers: {len(one)} rows against {len(other)}, or other ids"]
    found = []
    for name in COLUMNS:
        mine, theirs = _numbers(one, name), _numbers(other, name)
        tolerance = 1e-9 if name in FLOATS else 0.0
        same = np.isclose(mine, theirs, rtol=tolerance, atol=tolerance, equal_nan=True)
        if not same.all():
            first = int(np.argmin(same))
            who = one["customer_id"][first].as_py()
            found.append(
                f"{name}: {int((~same).sum())} rows differ, first {who}: {mine[first]} against {theirs[first]}"
            )
    return found


def disagreements(one: dict[str, float], other: dict[str, float]) -> list[str]:
    """Return the sums two contenders disagree on, by name; floats to 1e-9."""
    tolerances = {name: 1e-9 if name in FLOATS else 0.0 for name in one}
    return [
        f"sum of {name}: {one[name]} against {other[name]}"
        for name, tolerance in tolerances.items()
        if not math.isclose(one[name], other[name], rel_tol=tolerance)
    ]


def _ids(table: pa.Table) -> pa.ChunkedArray:
    return pa.chunked_array([table["customer_id"].cast(pa.string()).combine_chunks()])


def _numbers(table: pa.Table, name: str) -> np.ndarray:
    return pc.cast(table[name], pa.float64()).to_numpy()
