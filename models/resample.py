"""Intervals by drawing customers anew: what a figure might have been with other customers of the same company.

A customer is drawn with all snapshots, because those are not independent of each other.
Source: Efron, Tibshirani (1993), An Introduction to the Bootstrap; for clusters, Field, Welsh (2007), JRSS B 69(3).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Column = NDArray[np.float64]

INTERVAL = 0.95
"""Share of draws between the two bounds."""
_MOST_DRAWS, _LEAST_DRAWS, _WORK = 1000, 50, 2e7


def draws_for(rows: int) -> int:
    """Return how often customers are drawn: a thousand times, less often where that would take minutes."""
    return int(np.clip(_WORK / max(rows, 1), _LEAST_DRAWS, _MOST_DRAWS))


def drawn(customer_id: pd.Series[str], *, draws: int, seed: int = 0) -> Iterator[Column]:
    """Yield per draw how often each row counts, shape (n_rows,): as often as its customer was drawn.

    Customers count in the order of their ids, so the order of rows does not matter.
    """
    codes, customers = pd.factorize(customer_id, sort=True)
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        times = np.bincount(rng.integers(0, len(customers), len(customers)), minlength=len(customers))
        yield times[codes].astype(np.float64)


def ranks_of(score: Column) -> NDArray[np.intp]:
    """Return dense ranks, equal scores sharing one: what ``weighted_auc`` needs, found once for all draws."""
    return np.unique(score, return_inverse=True)[1]


def weighted_auc(label: NDArray[np.int8], ranks: NDArray[np.intp], weight: Column) -> float:
    """Return the chance that a row of label 1 ranks above one of label 0, rows counted by weight; NaN without both.

    Examples
    --------
    >>> weighted_auc(np.array([1, 0, 0]), ranks_of(np.array([0.5, 0.5, 0.9])), np.array([1.0, 1.0, 3.0]))
    0.125
    """
    levels = int(ranks.max()) + 1 if len(ranks) else 0
    ones = np.bincount(ranks, weight * label, levels)
    zeros = np.bincount(ranks, weight * (1 - label), levels)
    pairs = ones.sum() * zeros.sum()
    below = np.cumsum(zeros) - zeros / 2
    return float((ones * below).sum() / pairs) if pairs > 0 else float("nan")


def interval_of(draws: NDArray[np.float64]) -> tuple[float, float]:
    """Return the bounds between which 95 % of the draws lie (percentiles); NaN where no draw says anything."""
    known = draws[np.isfinite(draws)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - INTERVAL) / 2, (1 + INTERVAL) / 2])
    return float(low), float(high)
