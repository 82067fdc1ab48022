"""What simple reckoning says of each customer: turnover of a year by the month and by the rhythm, own margin share.

Everything is read row by row from the matrix; what is usual in the company is found once, in training, and kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Column = NDArray[np.float64]

YEAR_DAYS = 365
WINDOWS = (91, 182, 364, 728)
_LEAST_TENURE_DAYS = 30
"""A customer of a few days is reckoned as one of a month: else one purchase would become one a day."""
_OWN_WEIGHT = 2.0
"""Purchases that the company's usual figure counts for beside the customer's own."""
_FLOOR = 0.05
"""Share of the usual turnover added before taking logarithms."""


@dataclass(frozen=True, kw_only=True)
class Usual:
    """What is usual in the company: turnover per order [currency], margin over turnover, turnover of a year."""

    basket: float
    margin_share: float
    turnover: float


def usual_in(snapshots: pd.DataFrame, *, margin_share: float) -> Usual:
    """Return what is usual among snapshots; ``margin_share`` where none of the margins is known."""
    turnover, orders = (column(snapshots, f"sales__{name}_728d") for name in ("turnover", "orders"))
    sold = float(np.maximum(turnover, 0).sum())
    share = margin_share
    if "sales__margin_728d" in snapshots.columns and sold > 0:
        share = float(np.clip(column(snapshots, "sales__margin_728d").sum() / sold, -1, 1))
    basket = sold / max(float(orders.sum()), 1.0)
    year = float(by_months(snapshots).mean()) if len(snapshots) else 0.0
    return Usual(basket=basket, margin_share=share, turnover=max(year, 0.01))


def column(matrix: pd.DataFrame, name: str) -> Column:
    """Return a column with 0 for what is missing; zeros where there is no such column."""
    if name not in matrix.columns:
        return np.zeros(len(matrix))
    return np.asarray(np.nan_to_num(matrix[name].to_numpy(np.float64)), dtype=np.float64)


def by_months(matrix: pd.DataFrame) -> Column:
    """Return the turnover of a year at the pace of the last 364 days, or of all days since the first purchase."""
    days = np.clip(column(matrix, "sales__tenure_days"), _LEAST_TENURE_DAYS, 364)
    return np.maximum(column(matrix, "sales__turnover_364d"), 0) * YEAR_DAYS / days


def by_rhythm(matrix: pd.DataFrame, usual: Usual) -> Column:
    """Return the days of purchase BG/NBD expects within a year, times the turnover of one.

    The customer's own turnover per order is drawn towards the company's by the weight of a few purchases.
    """
    turnover, orders = (np.maximum(column(matrix, f"sales__{name}_728d"), 0) for name in ("turnover", "orders"))
    basket = (turnover + _OWN_WEIGHT * usual.basket) / (orders + _OWN_WEIGHT)
    return np.maximum(column(matrix, "rhythm__expected_orders"), 0) * basket


def own_margin_share(matrix: pd.DataFrame, usual: Usual) -> Column:
    """Return each customer's margin over turnover, within -1 and 1; the company's where no margins are known.

    The share of 728 days drawn towards the company's, that of 364 towards this one, that of 91 towards that one: new
    prices count soon, a single order does not count alone. It may be negative.
    """
    share = np.full(len(matrix), usual.margin_share)
    for days, weight in ((728, _OWN_WEIGHT), (364, 1.0), (91, 1.0)):
        if f"sales__margin_{days}d" in matrix.columns:
            turnover = np.maximum(column(matrix, f"sales__turnover_{days}d"), 0)
            own = column(matrix, f"sales__margin_{days}d")
            share = (own + weight * usual.basket * share) / (turnover + weight * usual.basket + 1e-9)
    return np.asarray(np.clip(share, -1, 1), dtype=np.float64)


LOGS: Sequence[str] = (
    "log_by_rhythm",
    "log_by_months",
    *(f"log_turnover_{days}d" for days in WINDOWS),
    "alive_chance",
    "log_recency",
    "log_tenure",
    "log_purchase_days",
)
"""What the regression reads, and the trees beside the features."""


def logs_of(matrix: pd.DataFrame, usual: Usual) -> NDArray[np.float64]:
    """Return ``LOGS`` of each customer, shape (n_customers, n_logs): amounts over what is usual, never missing."""
    amounts = [by_rhythm(matrix, usual), by_months(matrix)]
    amounts += [np.maximum(column(matrix, f"sales__turnover_{days}d"), 0) for days in WINDOWS]
    days = [np.log1p(np.maximum(column(matrix, f"sales__{name}_days"), 0)) for name in ("recency", "tenure")]
    bought = np.log1p(np.maximum(column(matrix, "sales__purchase_days"), 0))
    alive = column(matrix, "rhythm__alive_chance")
    return np.column_stack([*(np.log(each / usual.turnover + _FLOOR) for each in amounts), alive, *days, bought])
