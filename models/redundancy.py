"""Which columns say something of their own: those that order the snapshots like an earlier one are left to it.

Windows of one measure, pieces and turnover, or a table with few rows give many columns that say the same. Trees draw a
share of the columns each, so what is said often would be drawn often; and among equals chance would decide which one
a reason names.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

SAME = 0.97
"""Rank correlation from which two columns say the same; measured: decision 0015."""

_MOST_ROWS = 20_000
"""Snapshots looked at, evenly spaced: with so many, sums of products of ranks are whole numbers a float64 holds."""


def distinct_columns(features: pd.DataFrame, *, keep: Collection[str] = ()) -> tuple[str, ...]:
    """Return the columns whose rank correlation with every earlier one returned lies below `SAME`, in their order.

    Parameters
    ----------
    features : DataFrame of float64, shape (n_rows, n_columns)
        Missing values rank lowest, alike. Columns without two different values say nothing and are not returned.
    keep : collection of str
        Columns that are returned in any case.

    Notes
    -----
    Ranks are whole numbers, so no order of addition, and so no number of threads, can change the choice. Source:
    Spearman (1904), American Journal of Psychology 15(1).
    """
    if features.empty:
        return tuple(features.columns)
    correlation, varies = _rank_correlation(features.iloc[:: -(-len(features) // _MOST_ROWS)])
    chosen: list[int] = []
    for place, name in enumerate(features.columns):
        says_more = varies[place] and bool((correlation[place, chosen] < SAME).all())
        if says_more or name in keep:
            chosen.append(place)
    return tuple(features.columns[chosen])


def _rank_correlation(features: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Absolute rank correlation of the columns, and which of them vary."""
    values = np.where(features.isna(), -np.inf, features.to_numpy(np.float64))
    doubled = np.rint(2 * stats.rankdata(values, axis=0))
    sums, count = doubled.sum(axis=0).astype(np.int64), len(doubled)
    together = count * (doubled.T @ doubled).astype(np.int64) - np.outer(sums, sums)
    spread = np.sqrt(np.diag(together).astype(np.float64))
    varies = spread > 0
    scale = np.where(varies, spread, 1.0)
    return np.abs(together / np.outer(scale, scale)), varies
