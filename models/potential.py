"""What could be won on top: the margin that good comparable customers bring and this one does not.

Comparable are customers of the same industry, size and kind; where they are too few, of the same size and kind, of the
same kind, of the company.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from models.margin.basis import column
from models.staying import Column

PEER_COLUMNS = ("type", "industry", "size")
"""Columns of the master data by which customers are compared."""
_LEVELS: Sequence[Sequence[str]] = (("type", "industry", "size"), ("type", "size"), ("type",), ())
CATEGORIES = "assortment__categories_364d"


def potential_of(
    matrix: pd.DataFrame, margin: Column, about: pd.DataFrame | None, *, least: int, level: float
) -> pd.DataFrame:
    """Return what good comparable customers bring beyond each customer.

    Parameters
    ----------
    matrix : DataFrame
        One row per customer: customer_id and, where known, the categories bought in 364 days.
    margin : array, shape (n_customers,)
        Expected margin of the first year [currency].
    about : DataFrame with customer_id and ``PEER_COLUMNS`` as far as known, optional
        Master data. Without it everybody is compared with everybody.
    least : int
        Comparable customers needed.
    level : float in (0, 1)
        The quantile of comparable customers that counts as good.

    Returns
    -------
    DataFrame with the index of ``matrix``
        ``margin_gap`` [currency a year] up to that quantile of the comparable ones, 0 or more; ``missing_categories``
        [count] up to that of theirs.
    """
    keys = _keys(matrix["customer_id"], about)
    bought = column(matrix, CATEGORIES)
    good, broad = (_good(keys, amount, least, level) for amount in (margin, bought))
    gap, missing = np.maximum(good - np.maximum(margin, 0), 0), np.maximum(broad - bought, 0)
    return pd.DataFrame({"margin_gap": gap, "missing_categories": np.floor(missing)}, index=matrix.index)


def _keys(customer_id: pd.Series[str], about: pd.DataFrame | None) -> Sequence[pd.Series[int]]:
    """Return the group of every customer by number, finest first; -1 where a property is not known."""
    known = pd.DataFrame(index=customer_id)
    if about is not None and len(about):
        own = about.assign(customer_id=about["customer_id"].astype("str"))
        known = own.drop_duplicates("customer_id").set_index("customer_id").reindex(customer_id)
    levels = [level for level in _LEVELS if level and set(level) <= set(known.columns)]
    grouped = [known.reset_index().groupby(list(level), dropna=True, sort=True).ngroup() for level in levels]
    return [*grouped, pd.Series(0, index=range(len(known)))]


def _good(keys: Sequence[pd.Series[int]], amount: Column, least: int, level: float) -> Column:
    """Return the quantile of each customer's finest group that is large enough."""
    good = np.full(len(amount), np.quantile(amount, level) if len(amount) else 0.0)
    for key in reversed(keys):
        grouped = pd.Series(amount).groupby(key)
        counts, quantiles = (key.map(found).to_numpy(np.float64) for found in (grouped.size(), grouped.quantile(level)))
        fits = (key >= 0).to_numpy(dtype=bool) & (counts >= least)
        good[fits] = quantiles[fits]
    return good
